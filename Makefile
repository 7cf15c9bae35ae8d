# Everything happens in a virtual environment of this checkout; `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test test-long lint clean debian-packages

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(BIN)/hcc: pyproject.toml
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory python-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(BIN)/hcc
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(BIN)/hcc  ## Compile an example, run it, and move it between three ISAs
	@$(BIN)/python examples/demo.py

test: $(VENV)/.dev debian-packages  ## Run the quick tests
	$(BIN)/python -m pytest -q -n 2 -m "not long"

test-long: $(VENV)/.dev debian-packages-long  ## Run all tests, the long ones too
	$(BIN)/python -m pytest -q -n 2

lint: $(VENV)/.dev  ## Check style and types
	$(BIN)/ruff check .
	@mkdir -p build/typing/hcc
	@for room in isa compiler emulator runtime; do ln -sfn ../../../$$room build/typing/hcc/$$room; done
	$(BIN)/mypy -p hcc.isa -p hcc.compiler -p hcc.emulator -p hcc.runtime

# What the tests use beside Python, where this machine lets us install it; tests that miss
# something skip by name.
DEBIAN := gcc libc6-dev qemu-user gcc-aarch64-linux-gnu gcc-riscv64-linux-gnu clang
# The long tests also boot Linux on whole machines.
MACHINES := qemu-system-arm qemu-system-misc qemu-system-x86
debian-packages-long: DEBIAN += $(MACHINES)
debian-packages debian-packages-long:
	@missing=""; for p in $(DEBIAN); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing:$$missing"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } >/dev/null \
	  || echo "could not install:$$missing (tests that need them will skip)"; \
	elif [ -n "$$missing" ]; then echo "not installed:$$missing (tests that need them will skip)"; fi

python-venv:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq python3-venv; \
	else echo "python3-venv is needed: apt-get install python3-venv" >&2; exit 1; fi

clean:  ## Remove what the other targets made
	rm -rf $(VENV) build hcc.egg-info .pytest_cache .mypy_cache .ruff_cache

.PHONY: test-long-only python-venv debian-packages-long
test-long-only: $(VENV)/.dev debian-packages-long
	$(BIN)/python -m pytest -q -n 2 -m long --durations=30
