"""Configuration, topology and layout files: what is accepted, and where mistakes are."""

from __future__ import annotations

import pytest

from hcc.emulator.systolic import (
    Banks,
    Compat,
    Interface,
    Layer,
    Sparsity,
    config_from_list,
    parse_config,
    parse_layout,
    parse_topology,
    read_config,
)
from hcc.isa.errors import FormatError

from .golden import DATA

V2 = """[general]
run_name = test
[architecture_presets]
ArrayHeight:    8
arraywidth =    4
IfmapSramSzkB:  1
FilterSramSzkB: 2
OfmapSramSzkB:  3
IfmapOffset:    0
FilterOffset:   10000000
OfmapOffset:    20000000
Bandwidth : 10,20
Dataflow : os
MemoryBanks: 1
[run_presets]
InterfaceBandwidth: USER
"""


def edited(old: str, new: str) -> str:
    assert old in V2
    return V2.replace(old, new)


def config_error(text: str, compat: Compat | None = None) -> str:
    with pytest.raises(FormatError) as caught:
        parse_config("a.cfg", text, compat)
    return str(caught.value)


def topology_error(text: str, gemm: bool = False) -> str:
    with pytest.raises(FormatError) as caught:
        parse_topology("t.csv", text, gemm)
    return str(caught.value)


def test_a_version_2_file_needs_no_version_3_section() -> None:
    config = parse_config("a.cfg", V2)

    assert (
        config.rows,
        config.cols,
        config.ifmap_kb,
        config.filter_kb,
        config.ofmap_kb,
    ) == (8, 4, 1, 2, 3)
    assert config.bandwidths == (10, 20)
    assert config.read_bandwidths(Compat.V3) == (10, 10)
    assert Interface.USER is config.interface
    assert not config.uses_version_3


def test_version_3_reads_bandwidths_from_the_banks() -> None:
    text = V2 + (
        "[layout]\nIfmapSRAMBankBandwidth: 6\nIfmapSRAMBankNum: 3\nIfmapSRAMBankPort: 2\n"
        "FilterSRAMBankBandwidth: 8\nFilterSRAMBankNum: 4\nFilterSRAMBankPort: 1\n"
    )

    config = parse_config("a.cfg", text, Compat.V3)

    assert Banks(False, 6, 3, 2) == config.ifmap_banks
    assert config.read_bandwidths(Compat.V3) == (6, 8)
    assert config.read_bandwidths(Compat.V2) == (10, 10)


def test_sparsity_section() -> None:
    text = V2 + (
        "[sparsity]\nSparsitySupport: true\nSparseRep: csr\nOptimizedMapping: true\n"
        "BlockSize: 8\nRandomNumberGeneratorSeed: 40\n"
    )

    assert Sparsity("csr", True, 8, 40) == parse_config("a.cfg", text).sparsity


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ArrayHeight:    8", "ArrayHeight:    -8", "a.cfg:4:17: 'ArrayHeight' is -8; the least"),
        ("IfmapSramSzkB:  1", "IfmapSramSzkB:  one", "a.cfg:6:17: 'IfmapSramSzkB' wants a whole"),
        ("MemoryBanks: 1", "MemoryBank: 1", "a.cfg:14:1: unknown key 'MemoryBank' in"),
        ("MemoryBanks: 1", "MemoryBank: 1", "did you mean 'MemoryBanks'?"),
        ("IfmapSramSzkB:  1", "IfmapSramSz: 1", "is SCALE-Sim 1, write 'IfmapSramSzkB'"),
        ("Bandwidth : 10,20", "Bandwidth : 10, x", "a.cfg:12:17: 'Bandwidth' wants a whole"),
        ("Bandwidth : 10,20", "Bandwidth : 0", "a.cfg:12:13: 'Bandwidth' is 0; the least is 1"),
        ("IfmapSramSzkB:  1", "IfmapSramSzkB:  ²", "'IfmapSramSzkB' wants a whole number up to"),
        ("ArrayHeight:    8", f"ArrayHeight:    {1 << 31}", "a.cfg:4:17: 'ArrayHeight' is 214"),
        ("ArrayHeight:    8", f"ArrayHeight:    {'9' * 5000}", f"not '{'9' * 40}'"),
        ("FilterOffset:   10", f"FilterOffset:   {1 << 31}", "the most is 2147483647"),
        ("Dataflow : os", "Dataflow : rs", "a.cfg:13:12: 'Dataflow' is os, ws or is, not 'rs'"),
        ("Bandwidth: USER", "Bandwidth: MINE", "a.cfg:16:21: 'InterfaceBandwidth' is USER or"),
        ("[run_presets]", "[runs]", "a.cfg:15:1: unknown section '[runs]'"),
        ("MemoryBanks: 1", "ArrayHeight: 1", "'ArrayHeight' is already set in line 4"),
        ("MemoryBanks: 1", "MemoryBanks", "a.cfg:14:1: neither 'key = value' nor [section]"),
        ("ArrayHeight:    8\n", "", "a.cfg:15:1: no 'ArrayHeight' in [architecture_presets]"),
        ("[general]\n", "", "a.cfg:1:1: text before the first [section]"),
    ],
)
def test_a_mistake_in_a_configuration_is_named_with_its_place(old, new, message) -> None:
    assert message in config_error(edited(old, new))


def test_an_empty_configuration() -> None:
    assert config_error("") == "a.cfg:1:1: the file is empty"
    assert config_error("\n# only this\n") == "a.cfg:1:1: the file is empty"


def test_banks_that_do_not_divide_matter_to_version_3_only() -> None:
    text = V2 + "[layout]\nIfmapSRAMBankBandwidth: 4\nIfmapSRAMBankNum: 10\nIfmapSRAMBankPort: 2\n"

    assert parse_config("a.cfg", text).bandwidths == (10, 20)
    assert "a.cfg:18:25: 'IfmapSRAMBankBandwidth' of 4 does not divide into 10 banks" in (
        config_error(text, Compat.V3)
    )


def test_ramulator_replay_is_refused() -> None:
    assert "a.cfg:17:21: replaying Ramulator" in config_error(V2 + "UseRamulatorTrace : True\n")


def test_a_list_as_a_configuration() -> None:
    config = config_from_list(["n", 8, 4, 1, 2, 3, 0, 10, 20, "is", "USER", [7]])

    assert (config.rows, config.cols, config.dataflow, config.bandwidths) == (8, 4, "is", (7,))
    with pytest.raises(FormatError, match="entry 3 of the list wants a whole number from 1"):
        config_from_list(["n", 8, 0, 1, 2, 3, 0, 10, 20, "is", "CALC"])
    with pytest.raises(FormatError, match="entry 2 of the list wants a whole number from 1 to"):
        config_from_list(["n", 1 << 31, 4, 1, 2, 3, 0, 10, 20, "is", "CALC"])
    with pytest.raises(FormatError, match="entry 12 of the list wants bandwidths from 1 to"):
        config_from_list(["n", 8, 4, 1, 2, 3, 0, 10, 20, "is", "USER", "7,²"])
    with pytest.raises(FormatError, match="at least 11 entries, not 3"):
        config_from_list(["n", 8, 4])


HEADER = "Layer name, IFMAP Height, IFMAP Width, FH, FW, Channels, Num Filter, Strides,\n"


def test_the_first_line_and_blank_lines_are_skipped() -> None:
    topology = parse_topology("net.csv", HEADER + "\nA, 5, 6, 3, 2, 4, 7, 2,\n\n")

    assert (Layer("A", 5, 6, 3, 2, 4, 7, 2, 2),) == topology.layers
    assert topology.name == "net"
    assert topology.warnings == ()


def test_a_missing_trailing_comma_is_repaired_with_a_warning() -> None:
    topology = parse_topology("t.csv", HEADER + "A, 5, 6, 3, 2, 4, 7, 2")

    assert topology.layers[0].stride_h == 2
    assert topology.warnings == ("t.csv:2:23: no comma at the end of the row, added",)


def test_sizes_round_up_where_the_stride_does_not_divide() -> None:
    layer = Layer("A", 56, 56, 1, 1, 8, 4, 2, 2)

    assert (layer.ofmap_h, layer.ofmap_w) == (29, 29)


def test_dp_in_a_name_makes_one_layer_a_channel() -> None:
    topology = parse_topology("t.csv", HEADER + "DPa, 14, 14, 3, 3, 3, 1, 1,\n")

    names = ["DPaChannel_0", "DPaChannel_1", "DPaChannel_2"]
    assert names == [layer.name for layer in topology.layers]
    assert {1} == {layer.channels for layer in topology.layers}


def test_a_ninth_column_is_a_stride_or_a_ratio() -> None:
    rows = "A, 5, 6, 3, 2, 4, 7, 2, 3,\nB, 5, 6, 3, 2, 4, 7, 2, 2:4,\n"

    first, second = parse_topology("t.csv", HEADER + rows).layers

    assert (first.stride_h, first.stride_w) == (2, 3)
    assert (second.stride_h, second.stride_w, second.sparsity) == (2, 2, (2, 4))


def test_a_batch_column_is_refused_above_one() -> None:
    header = HEADER.replace("\n", "Batch Size,\n")

    assert parse_topology("t.csv", header + "A,5,6,3,2,4,7,2,1,\n").layers[0].sparsity == (1, 1)
    assert "t.csv:2:17: a batch of 4" in topology_error(header + "A,5,6,3,2,4,7,2,4,\n")


def test_gemm_rows_become_one_row_filters() -> None:
    layer = parse_topology("t.csv", "Layer, M, N, K,\nG, 5, 7, 3,\n", gemm=True).layers[0]

    assert (layer.m, layer.n, layer.k) == (5, 7, 3)
    assert (layer.ifmap_h, layer.ifmap_w, layer.filter_h, layer.filter_w) == (5, 3, 1, 3)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A, 5, 6, 7, 2, 4, 7, 2,", "t.csv:2:10: filter height 7 is larger than its input's 5"),
        ("A, 5, 6, 3, 9, 4, 7, 2,", "t.csv:2:13: filter width 9 is larger than its input's 6"),
        ("A, 5, 6, 3, 2, x, 7, 2,", "t.csv:2:16: Channels wants a whole number up to"),
        ("A, 5, 6, 3, 2, 4, -7, 2,", "t.csv:2:19: Num Filter is -7; the least is 1"),
        ("A, 5, 6, 3, 2, 4, 7, 0,", "t.csv:2:22: Strides is 0; the least is 1"),
        ("A, 5, 6, 3,", "t.csv:2:11: the row ends before 'Filter Width'"),
        ("A, 5, 6, 3, 2, 4, 7, 2, 4:2,", "t.csv:2:25: sparsity wants N:M"),
        ("A, 5, 6, 3, 2, 4, 7, 2, 1, 1:2, 9,", "t.csv:2:33: more fields than a layer has"),
        ("A, 1048577, 6, 3, 2, 4, 7, 2,", "t.csv:2:4: IFMAP Height is 1048577; the most is"),
        ("A, 5, 6, 3, 2, ², 7, 2,", "t.csv:2:16: Channels wants a whole number up to 1048576"),
        (f"A, 5, 6, 3, 2, 4, 7, 2, 1:{'9' * 5000},", "t.csv:2:25: sparsity wants N:M"),
        ("A, 1048576, 1048576, 1, 1, 1, 1048576, 1,", "'A' takes 1.15292e+18 multiply-accum"),
        (" , 5, 6, 3, 2, 4, 7, 2,", "t.csv:2:1: a layer without a name"),
    ],
)
def test_a_mistake_in_a_topology_is_named_with_its_place(row, message) -> None:
    assert message in topology_error(HEADER + row + "\n")


def test_empty_topologies() -> None:
    assert topology_error("") == "t.csv:1:1: the file is empty"
    assert topology_error(HEADER) == "t.csv:1:1: no layer after the header line"
    assert "t.csv:2:8: the row ends before 'K'" in topology_error("h,\nG, 5, 7,\n", gemm=True)


def test_a_first_line_of_numbers_is_warned_about() -> None:
    topology = parse_topology("t.csv", "A, 5, 6, 3, 2, 4, 7, 2,\nB, 5, 6, 3, 2, 4, 7, 2,\n")

    assert [layer.name for layer in topology.layers] == ["B"]
    assert topology.warnings == ("t.csv:1:1: the first line is the header and is skipped",)


def test_layout_rows() -> None:
    row = "L0, 2, 2, 1, 1, 16, 4, 0, 1, 2, 4, 5, 3, 3, 2, 1, 0, 4, 5, 6, 7,\n"

    layout = parse_layout("l.csv", "header,\n" + row)[0]

    assert (layout.ifmap_factors, layout.ifmap_order) == ((2, 2, 16), (4, 5, 3, 0, 1, 2))
    assert (
        layout.filter_factors,
        layout.filter_order,
    ) == ((4, 16, 1, 1), (4, 5, 6, 7, 3, 2, 1, 0))
    with pytest.raises(FormatError, match=r"l\.csv:2:1: a layout row has a name and 20 numbers"):
        parse_layout("l.csv", "header,\nL0, 2,\n")
    with pytest.raises(FormatError, match="the ifmap orders"):
        parse_layout("l.csv", "header,\n" + row.replace("0, 1, 2, 4", "0, 1, 1, 4"))


@pytest.mark.parametrize("path", sorted(DATA.glob("*.cfg")), ids=lambda path: path.stem)
def test_recorded_configurations_are_read(path) -> None:
    assert path.stem == read_config(path).run_name


def test_unreadable_files(tmp_path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        read_config(tmp_path / "none.cfg")
    (tmp_path / "binary.cfg").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="not a text file"):
        read_config(tmp_path / "binary.cfg")
