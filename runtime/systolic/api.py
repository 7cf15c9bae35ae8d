"""The Python interface users of SCALE-Sim know, on this model.

`scalesim(config=..., topology=...).run_scale(top_path=...)` runs a network and writes its report
files; `ScalesimReport().load_data(...)` reads them back with getters by layer. For new code the
functions of hcc.emulator.systolic (run_layer, run_network, estimate) are plainer: they take and
return values and write nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hcc.emulator.systolic import (
    TRACES,
    Compat,
    Config,
    NetworkResult,
    Simulation,
    Topology,
    choose_compat,
    read_config,
    read_layout,
    read_topology,
    run_network,
    trace,
)
from hcc.isa.errors import FormatError

from .reports import make_folder, run_folder, write_file, write_reports


def write_traces(simulation: Simulation, config: Config, folder: Path, layer: int) -> None:
    """Write a layer's six trace files into folder/layer<i>, streaming."""
    place = make_folder(folder / f"layer{layer}")
    for name in TRACES:
        write_file(place / f"{name}_TRACE.csv", trace(simulation, config, name))


class ScaleSim:
    """One run of a network; the arguments are SCALE-Sim's, and `compat`."""

    def __init__(
        self,
        save_disk_space: bool = False,
        verbose: bool = True,
        config: str | Path | Config = "",
        topology: str | Path | Topology = "",
        layout: str | Path = "",
        input_type_gemm: bool = False,
        compat: Compat | str | None = None,
    ) -> None:
        self.save_disk_space = save_disk_space
        self.verbose = verbose
        if isinstance(compat, str) and compat not in {rules.value for rules in Compat}:
            raise FormatError(f"compat is 2.0, 3.0 or fixed, not '{compat}'")
        wanted = Compat(compat) if isinstance(compat, str) else compat
        self.config = config if isinstance(config, Config) else read_config(config, wanted)
        self.compat = choose_compat(self.config, wanted)
        if isinstance(topology, Topology):
            self.topology = topology
        else:
            path = topology or self.config.topology
            if not path:
                raise FormatError("no topology given, neither here nor in [network_presets]")
            self.topology = read_topology(path, input_type_gemm)
        self.layouts = read_layout(layout) if layout else None
        self.result: NetworkResult | None = None
        self.folder: Path | None = None

    def run_scale(
        self,
        top_path: str | Path = ".",
        progress: Callable[[Simulation], None] | None = None,
    ) -> NetworkResult:
        """Run all layers and write the reports, and the traces unless save_disk_space, to
        top_path/<run name>."""
        folder = run_folder(Path(top_path), self.config.run_name)
        done = 0

        def layer_done(simulation: Simulation) -> None:
            nonlocal done
            if not self.save_disk_space:
                write_traces(simulation, self.config, folder, done)
            done += 1
            if progress is not None:
                progress(simulation)
            elif self.verbose:
                row = simulation.result
                print(
                    f"{row.name}: {row.total_cycles} cycles, {row.stall_cycles} stalls,"
                    f" {row.overall_utilisation:.2f} % utilised"
                )

        self.result = run_network(
            self.config, self.topology, self.compat, layouts=self.layouts, progress=layer_done
        )
        self.folder = write_reports(self.result, Path(top_path))
        return self.result

    def get_total_cycles(self) -> int:
        """Cycles of all layers; run_scale has to have been called."""
        if self.result is None:
            raise FormatError("nothing has been run yet; call run_scale first")
        return self.result.total_cycles


scalesim = ScaleSim


class ScalesimReport:
    """The report files of a run, read back. Columns have SCALE-Sim's names."""

    def __init__(self) -> None:
        self.compute: dict[str, npt.NDArray[Any]] = {}
        self.bandwidth: dict[str, npt.NDArray[Any]] = {}
        self.detail: dict[str, npt.NDArray[Any]] = {}

    def load_data(self, data_dir: str | Path = ".", run_name: str = "") -> None:
        """Read the three reports of data_dir/run_name."""
        self.load_compute_report_data(data_dir, run_name)
        self.load_bandwidth_report_data(data_dir, run_name)
        self.load_detail_report_data(data_dir, run_name)

    def load_compute_report_data(self, data_dir: str | Path = ".", run_name: str = "") -> None:
        """Read COMPUTE_REPORT.csv."""
        self.compute = _read_report(Path(data_dir) / run_name / "COMPUTE_REPORT.csv")

    def load_bandwidth_report_data(self, data_dir: str | Path = ".", run_name: str = "") -> None:
        """Read BANDWIDTH_REPORT.csv."""
        self.bandwidth = _read_report(Path(data_dir) / run_name / "BANDWIDTH_REPORT.csv")

    def load_detail_report_data(self, data_dir: str | Path = ".", run_name: str = "") -> None:
        """Read DETAILED_ACCESS_REPORT.csv."""
        self.detail = _read_report(Path(data_dir) / run_name / "DETAILED_ACCESS_REPORT.csv")

    def column(self, name: str) -> npt.NDArray[Any]:
        """One column of any of the reports."""
        for table in (self.compute, self.bandwidth, self.detail):
            if name in table:
                return table[name]
        raise FormatError(f"no report loaded has a column '{name}'")

    def _single(self, name: str, layer_id: int) -> Any:
        values = self.column(name)
        if not 0 <= layer_id < len(values):
            raise FormatError(f"no layer {layer_id}; there are {len(values)}")
        return values[layer_id].item()

    def get_total_cycles_single_layer(self, layer_id: int = 0) -> int:
        """Total cycles of a layer."""
        return int(self._single("Total Cycles", layer_id))

    def get_compute_cycles_all_layer(self) -> list[int]:
        """Total cycles of all layers."""
        return [int(value) for value in self.column("Total Cycles")]

    def get_stall_cycles_single_layer(self, layer_id: int = 0) -> int:
        """Stall cycles of a layer."""
        return int(self._single("Stall Cycles", layer_id))

    def get_stall_cycles_all_layer(self) -> list[int]:
        """Stall cycles of all layers."""
        return [int(value) for value in self.column("Stall Cycles")]

    def get_sram_ifmap_reads_single_layer(self, layer_id: int = 0) -> float:
        """Ifmap SRAM reads of a layer."""
        return self._number("SRAM IFMAP Reads", layer_id)

    def get_sram_ifmap_reads_all_layer(self) -> list[float]:
        """Ifmap SRAM reads of all layers."""
        return self._numbers("SRAM IFMAP Reads")

    def get_sram_filter_reads_single_layer(self, layer_id: int = 0) -> float:
        """Filter SRAM reads of a layer."""
        return self._number("SRAM Filter Reads", layer_id)

    def get_sram_filter_reads_all_layer(self) -> list[float]:
        """Filter SRAM reads of all layers."""
        return self._numbers("SRAM Filter Reads")

    def get_sram_ofmap_writes_single_layer(self, layer_id: int = 0) -> float:
        """Ofmap SRAM writes of a layer."""
        return self._number("SRAM OFMAP Writes", layer_id)

    def get_sram_ofmap_writes_all_layer(self) -> list[float]:
        """Ofmap SRAM writes of all layers."""
        return self._numbers("SRAM OFMAP Writes")

    def get_dram_ifmap_reads_all_layer(self) -> list[float]:
        """Ifmap DRAM reads of all layers."""
        return self._numbers("DRAM IFMAP Reads")

    def get_dram_filter_reads_all_layer(self) -> list[float]:
        """Filter DRAM reads of all layers."""
        return self._numbers("DRAM Filter Reads")

    def get_dram_ofmap_writes_all_layer(self) -> list[float]:
        """Ofmap DRAM writes of all layers."""
        return self._numbers("DRAM OFMAP Writes")

    def get_overall_utilization_all_layer(self) -> list[float]:
        """Overall utilisation of all layers in percent."""
        return self._numbers("Overall Util %")

    def _number(self, name: str, layer_id: int) -> float:
        value = self._single(name, layer_id)
        return int(value) if float(value).is_integer() else float(value)

    def _numbers(self, name: str) -> list[float]:
        return [self._number(name, layer) for layer in range(len(self.column(name)))]


def _read_report(path: Path) -> dict[str, npt.NDArray[Any]]:
    """A report file as columns; whole-number columns are integers."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error
    if not lines:
        raise FormatError(f"{path}:1:1: the file is empty")
    names = [name.strip() for name in lines[0].split(",") if name.strip()]
    columns: list[list[float]] = [[] for _ in names]
    for number, line in enumerate(lines[1:], 2):
        cells = [cell.strip() for cell in line.split(",")][: len(names)]
        if len(cells) < len(names):
            raise FormatError(f"{path}:{number}:1: {len(cells)} fields, not {len(names)}")
        for column, cell in zip(columns, cells, strict=True):
            try:
                column.append(int(cell) if cell.lstrip("-").isdigit() else float(cell))
            except ValueError:
                raise FormatError(f"{path}:{number}: '{cell}' is no number") from None
    return {name: np.array(column) for name, column in zip(names, columns, strict=True)}
