"""The parameters of an instrumentation unit: widths, depths, block order, data type.

LeBug fixes these when the hardware is generated; the firmware is then written for them. The
names in files (`N`, `FUVRF_SIZE`, `BUILDING_BLOCKS`, …) are LeBug's own, so that its
configuration files can be read as they are; in code they are ordinary attributes. The only
rules of LeBug's emulator are that N and M are powers of two and M <= N. We also ask for the
order its hardware generator asks for (InputBuffer first, DataPacker and TraceBuffer last, each
block once), and bound the sizes so that no parameter can exhaust memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from attrs import frozen

from ..errors import HccError

MAX_LANES = 1 << 16
MAX_ROWS = 1 << 24
MAX_MEMORY_VALUES = 1 << 28  # 2 GiB of float64 in any one memory


class Block(Enum):
    """A building block, by the name LeBug's configuration files use."""

    INPUT_BUFFER = "InputBuffer"
    FILTER_REDUCE = "FilterReduceUnit"
    ALU = "VectorVectorALU"
    SCALAR_REDUCE = "VectorScalarReduce"
    PACKER = "DataPacker"
    DELTA = "DeltaCompressor"
    TRACE = "TraceBuffer"


# Steps from a block's input to its output in LeBug's emulator. The filter and the reduction of
# the FilterReduceUnit are two stages of one step each.
EMULATOR_LATENCY: dict[Block, int] = {
    Block.INPUT_BUFFER: 0,
    Block.FILTER_REDUCE: 2,
    Block.ALU: 3,
    Block.SCALAR_REDUCE: 1,
    Block.PACKER: 1,
    Block.DELTA: 0,
    Block.TRACE: 0,
}

# Clocks in the published hardware; the input buffer's 2 are counted from the dequeue.
HARDWARE_LATENCY: dict[Block, int] = {
    Block.INPUT_BUFFER: 2,
    Block.FILTER_REDUCE: 5,
    Block.ALU: 2,
    Block.SCALAR_REDUCE: 1,
    Block.PACKER: 1,
    Block.DELTA: 0,
    Block.TRACE: 0,
}

DEFAULT_BLOCKS = (
    Block.INPUT_BUFFER,
    Block.FILTER_REDUCE,
    Block.ALU,
    Block.SCALAR_REDUCE,
    Block.PACKER,
    Block.TRACE,
)


class DataType(Enum):
    """What a lane holds in hardware; the number is the one the RTL's DATA_TYPE takes."""

    INT = 0
    FIXED_POINT = 1

    @classmethod
    def parse(cls, text: str) -> DataType:
        match text.lower().replace("-", "_"):
            case "int" | "integer":
                return cls.INT
            case "fixed_point" | "fixed":
                return cls.FIXED_POINT
        raise HccError(f"unknown data type '{text}' (int or fixed_point)")

    @property
    def label(self) -> str:
        return self.name.lower()


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


@frozen
class Machine:
    """One configuration of the unit; every instance is legal."""

    n: int = 8
    m: int = 4
    ib_depth: int = 8
    fuvrf_size: int = 4
    vvvrf_size: int = 8
    tb_size: int = 64
    max_chains: int = 8
    data_type: DataType = DataType.FIXED_POINT
    data_width: int = 32
    delta_slots: int = 4
    blocks: tuple[Block, ...] = DEFAULT_BLOCKS

    def __attrs_post_init__(self) -> None:
        for name, attribute in _INTEGERS.items():
            value = getattr(self, attribute)
            if value < 1:
                raise HccError(f"{name} is {value}: must be at least 1")
            if value > MAX_ROWS:
                raise HccError(f"{name} is {value}: the largest supported is {MAX_ROWS}")
        if not _power_of_two(self.n):
            raise HccError(f"N is {self.n}: must be a power of 2")
        if not _power_of_two(self.m):
            raise HccError(f"M is {self.m}: must be a power of 2")
        if self.m > self.n:
            raise HccError(f"M is {self.m} and N is {self.n}: M must not be greater than N")
        if self.n > MAX_LANES:
            raise HccError(f"N is {self.n}: the widest supported vector has {MAX_LANES} lanes")
        if self.max_chains > 4096:
            raise HccError(f"MAX_CHAINS is {self.max_chains}: the largest supported is 4096")
        if self.data_width % 2 or not 2 <= self.data_width <= 64:
            raise HccError(f"DATA_WIDTH is {self.data_width}: must be even and from 2 to 64")
        if self.data_width % self.delta_slots and Block.DELTA in self.blocks:
            raise HccError(
                f"DATA_WIDTH {self.data_width} is not divisible by DELTA_SLOTS {self.delta_slots}"
            )
        for name, rows, width in (
            ("TB_SIZE", self.tb_size, self.n),
            ("VVVRF_SIZE", self.vvvrf_size, self.n),
            ("FUVRF_SIZE", self.fuvrf_size, self.m),
        ):
            if rows * width > MAX_MEMORY_VALUES:
                raise HccError(f"{name} is {rows}: {rows} rows of {width} values are too many")
        self._check_blocks()

    def _check_blocks(self) -> None:
        names = ", ".join(block.value for block in self.blocks)
        for block in self.blocks:
            if self.blocks.count(block) > 1:
                raise HccError(f"building block {block.value} appears twice: {names}")
        if not self.blocks or self.blocks[0] is not Block.INPUT_BUFFER:
            raise HccError(f"the first building block must be InputBuffer: {names}")
        tail = [block for block in self.blocks if block is not Block.DELTA][-2:]
        if tail != [Block.PACKER, Block.TRACE]:
            raise HccError(f"the last building blocks must be DataPacker, TraceBuffer: {names}")
        if Block.DELTA in self.blocks and self.blocks[-2] is not Block.DELTA:
            raise HccError(f"DeltaCompressor belongs between DataPacker and TraceBuffer: {names}")

    @property
    def middle(self) -> tuple[Block, ...]:
        """The blocks a chain can program between the buffer and the packer, in order."""
        return tuple(b for b in self.blocks if b in _MIDDLE)

    @property
    def edge_count(self) -> int:
        """How many lower edges the filter memory holds."""
        return self.fuvrf_size * self.m

    def latency(self, table: Mapping[Block, int]) -> int:
        """Steps from a chain's start to its row in the trace buffer."""
        return sum(table[block] for block in self.blocks)

    def parameters(self) -> dict[str, object]:
        """The configuration under LeBug's names, as its files write it."""
        found: dict[str, object] = {name: getattr(self, at) for name, at in _INTEGERS.items()}
        found["DATA_TYPE"] = self.data_type.label
        found["BUILDING_BLOCKS"] = [block.value for block in self.blocks]
        return found

    @classmethod
    def from_parameters(cls, given: Mapping[str, object], where: str = "configuration") -> Machine:
        """A machine from LeBug's names; unknown names are left to the caller to judge.

        Requires integers (or their text) for sizes; raises HccError naming `where` otherwise.
        """
        values: dict[str, object] = {}
        for name, attribute in _INTEGERS.items():
            if name in given:
                values[attribute] = _integer(given[name], name, where)
        if "DATA_TYPE" in given:
            values["data_type"] = _data_type(given["DATA_TYPE"], where)
        if "BUILDING_BLOCKS" in given:
            values["blocks"] = _blocks(given["BUILDING_BLOCKS"], where)
        try:
            return cls(**values)  # type: ignore[arg-type]
        except HccError as error:
            raise HccError(f"{where}: {error}") from None


_MIDDLE = (Block.FILTER_REDUCE, Block.ALU, Block.SCALAR_REDUCE)

_INTEGERS: dict[str, str] = {
    "N": "n",
    "M": "m",
    "IB_DEPTH": "ib_depth",
    "FUVRF_SIZE": "fuvrf_size",
    "VVVRF_SIZE": "vvvrf_size",
    "TB_SIZE": "tb_size",
    "MAX_CHAINS": "max_chains",
    "DATA_WIDTH": "data_width",
    "DELTA_SLOTS": "delta_slots",
}

PARAMETER_NAMES = (*_INTEGERS, "DATA_TYPE", "BUILDING_BLOCKS")


def _integer(value: object, name: str, where: str) -> int:
    if isinstance(value, str):
        try:
            return int(value, 0)
        except ValueError:
            raise HccError(f"{where}: {name} is '{value[:40]}', not an integer") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise HccError(f"{where}: {name} is {str(value)[:40]}, not an integer")
    return value


def _data_type(value: object, where: str) -> DataType:
    if isinstance(value, str):
        try:
            return DataType.parse(value)
        except HccError as error:
            raise HccError(f"{where}: {error}") from None
    if isinstance(value, int) and value in (0, 1):
        return DataType(int(value))
    raise HccError(f"{where}: DATA_TYPE is {str(value)[:40]}: must be 'int' or 'fixed_point'")


def _blocks(value: object, where: str) -> tuple[Block, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise HccError(f"{where}: BUILDING_BLOCKS must be a list of block names")
    blocks = []
    for name in value:
        try:
            blocks.append(Block(name))
        except ValueError:
            known = ", ".join(block.value for block in Block)
            raise HccError(
                f"{where}: unknown building block '{str(name)[:40]}' (known: {known})"
            ) from None
    return tuple(blocks)
