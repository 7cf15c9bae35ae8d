"""Where an option's value comes from: which file of the chain set it, and what that overrode."""

from __future__ import annotations

from typing import Any

from hcc.isa.errors import HccError
from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.places import nearest
from hcc.runtime.workload.schema import KEYS, Kind, all_keys

_KEYS = all_keys()


def expand(key: str) -> list[str]:
    """The keys that a word stands for: itself, or those below a map."""
    if key in _KEYS:
        return [key]
    below = [name for name in _KEYS if name.startswith(f"{key}.")]
    if below:
        return below
    if key in KEYS and KEYS[key].kind is Kind.JOBS:
        raise HccError("'jobs' is not inherited; name a job with -j to see its options")
    raise HccError(f"no such key: '{key}'{nearest(key, [*_KEYS, *KEYS])}")


def explain(workload: Workload, key: str) -> dict[str, Any]:
    """A key's value with its history, for `--json` and for `text`."""
    option = workload.options[key]
    rule = _KEYS[key].rule
    return {
        "workload": workload.name,
        "key": key,
        "value": plain(option.value),
        "from": str(option.place) if option.place else "default",
        "rule": rule.value,
        "help": _KEYS[key].help,
        "history": [
            {
                "place": str(step.setting.place),
                "file": step.setting.place.file,
                "line": step.setting.place.line,
                "workload": step.owner.name,
                "value": plain(step.setting.value),
                "effect": step.effect,
            }
            for step in option.steps
        ],
    }


def text(found: dict[str, Any]) -> str:
    """An explanation in lines: the value, then each setting, the last first."""
    lines = [f"{found['key']} = {_shown(found['value'])}    ({found['help']}; {found['rule']})"]
    if found["from"] == "default":
        lines.append("  default: nothing in the chain sets it")
    for step in reversed(found["history"]):
        effect = step["effect"]
        lines.append(f"  {step['place']}: {step['workload']}: {_shown(step['value'])} [{effect}]")
    return "\n".join(lines)


def resolved(workload: Workload, everything: bool = False) -> dict[str, Any]:
    """The options of a workload, merged; those at their defaults only if asked for."""
    return {
        key: plain(option.value)
        for key, option in workload.options.items()
        if option.place is not None or (everything and option.value is not None)
    }


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def _shown(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
