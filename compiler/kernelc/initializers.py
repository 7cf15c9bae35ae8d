"""Initialisers (6.7.8): which element of an object each expression goes to.

The result is a flat list of elements, each a scalar, a string or a whole record at its byte
offset. Designators, braces left out and overriding are all resolved here. For an object with
static storage the elements must be constant: an arithmetic constant or an address.
"""

from __future__ import annotations

from attrs import define

from hcc.compiler.kernelc.addresses import static_address
from hcc.compiler.kernelc.images import MAX_INITIALISED_SIZE, image_of
from hcc.compiler.kernelc.literal_tables import TableToken
from hcc.compiler.kernelc.operators import Operators
from hcc.compiler.kernelc.syntax import (
    CompoundLiteral,
    Designator,
    Element,
    ErrorExpr,
    Expr,
    FloatConst,
    Initializer,
    InitItem,
    InitList,
    IntConst,
    StringConst,
)
from hcc.compiler.kernelc.tokens import Token
from hcc.compiler.kernelc.types import (
    ERROR,
    ArrayType,
    CType,
    IntegerType,
    Member,
    RecordType,
    compatible,
)

MAX_RANGE = 1 << 20


@define(eq=False)
class _Slot:
    """A part of the object that an initialiser can be for."""

    type: CType
    offset: int
    member: Member | None = None


@define(eq=False)
class _Cursor:
    """A brace-enclosed list as it is consumed."""

    items: list[InitItem]
    index: int = 0
    inside: int = 0  # designators of the item at hand that outer levels have consumed

    @property
    def done(self) -> bool:
        return self.index >= len(self.items)

    @property
    def item(self) -> InitItem:
        return self.items[self.index]

    @property
    def designated(self) -> bool:
        return self.inside < len(self.item.designators)

    def advance(self) -> None:
        self.index += 1
        self.inside = 0


class Initializers(Operators):
    """Sorts initialisers into elements."""

    # ---- actions ----

    def on_braces_empty(self, open_: Token, _close: Token) -> InitList:
        return InitList(open_.lineno, [])

    def on_braces(self, open_: Token, items: list[InitItem], *_: object) -> InitList:
        return InitList(open_.lineno, items)

    def on_table(self, table: TableToken) -> InitList:
        return InitList(table.lineno, None, table)

    def on_item(self, value: Expr | InitList) -> InitItem:
        return InitItem([], value)

    def on_item_designated(
        self, designators: list[Designator], _eq: Token, value: Expr | InitList
    ) -> InitItem:
        return InitItem(designators, value)

    def on_item_designated_old(self, designator: Designator, value: Expr | InitList) -> InitItem:
        return InitItem([designator], value)

    def on_item_named_old(self, name: Token, _colon: Token, value: Expr | InitList) -> InitItem:
        return InitItem([Designator(name.lineno, name.value)], value)

    def on_designator_member(self, _dot: Token, name: Token) -> Designator:
        return Designator(name.lineno, name.value)

    def on_designator_index(self, open_: Token, index: Expr, _close: Token) -> Designator:
        value = self.constant_integer(index, "an array designator")
        return Designator(open_.lineno, "", value, value)

    def on_designator_range(
        self, open_: Token, low: Expr, _dots: Token, high: Expr, _close: Token
    ) -> Designator:
        first = self.constant_integer(low, "an array designator")
        last = self.constant_integer(high, "an array designator")
        if last < first:
            self.error(open_.lineno, f"empty range of indices: {first} ... {last}")
            last = first
        return Designator(open_.lineno, "", first, last)

    def constant_integer(self, expr: Expr, what: str) -> int:
        """The value of an integer constant expression; 1 and a complaint if it is none."""
        if isinstance(expr, IntConst) and expr.type.is_integer:
            return expr.value
        if not expr.type.is_error:
            self.error(expr.at, f"{what} must be an integer constant")
        return 1

    # ---- entry ----

    def initializer(
        self, type_: CType, value: Expr | InitList, static: bool, flexible: bool = False
    ) -> tuple[CType, Initializer]:
        """The elements for an object of a type, and the type, completed if it was an array of
        unknown length. With `static`, everything must be constant; with `flexible`, elements of a
        flexible array member may lie behind the type's end."""
        builder = _Builder(self, type_.unqual if flexible else None)
        slot = _Slot(type_, 0)
        if type_.is_error:
            return type_, Initializer([])
        if isinstance(type_, ArrayType) and type_.is_vla:
            self.error(value.at, "an array of variable length cannot be initialised")
            return type_, Initializer([])
        if isinstance(value, InitList):
            made = image_of(type_, value) if static else None
            if made is not None:
                element = Element(0, made.type, made)
                return made.type, Initializer([element], covers_all=True)
            length = builder.braced(slot, value)
        else:
            length = builder.whole(slot, value)
        if isinstance(type_, ArrayType) and type_.length is None:
            type_ = ArrayType(type_.element, length)
        if static:
            for element in builder.elements.values():
                self._require_constant(element)
        return type_, Initializer(list(builder.elements.values()), builder.covers(type_))

    def _require_constant(self, element: Element) -> None:
        value = element.value
        if isinstance(value, (IntConst, FloatConst, ErrorExpr, StringConst)):
            return
        if isinstance(value, CompoundLiteral) and value.variable.init is not None:
            for part in value.variable.init.elements:
                self._require_constant(part)
            return
        if element.type.ir.size == 8 and static_address(value) is not None:
            return
        self.error(value.at, "initialiser is not constant")
        element.value = IntConst(element.type, value.at, 0)


class _Builder:
    """Fills in one object."""

    def __init__(self, semantics: Initializers, flexible: CType | None = None) -> None:
        self.semantics = semantics
        self.flexible = flexible  # the whole object's type, if its flexible array may have elements
        self.elements: dict[tuple[int, int], Element] = {}
        self.last = -1  # no element starts behind this offset
        self.active: dict[tuple[int, int], Member] = {}
        """Which member of a union, by its offset and record, has been initialised."""

    # ---- braces ----

    def braced(self, slot: _Slot, braces: InitList) -> int:
        """Initialise a slot from `{ ... }`; returns the length an array turns out to have."""
        cursor = _Cursor(braces.items)
        match slot.type:
            case ArrayType():
                inner = self._string_in_braces(slot.type, braces)
                if inner is not None:
                    return self.whole(slot, inner)
                length = self._array(slot, slot.type, cursor, True)
            case RecordType():
                if not slot.type.complete:
                    self.semantics.error(
                        braces.at, f"initialiser for incomplete type '{slot.type}'"
                    )
                    return 0
                self._record(slot, slot.type, cursor, True)
                length = 0
            case _:
                self._scalar_braces(slot, braces)
                return 0
        if not cursor.done:
            self.semantics.warning(_item_at(cursor.item), "excess elements in initialiser")
        return length

    def _string_in_braces(self, type_: ArrayType, braces: InitList) -> Expr | None:
        if len(braces.items) == 1 and not braces.items[0].designators:
            value = braces.items[0].value
            if isinstance(value, StringConst) and _fits_string(type_, value):
                return value
        return None

    def _scalar_braces(self, slot: _Slot, braces: InitList) -> None:
        items = braces.items
        if not items:
            self._put(slot, IntConst(slot.type, braces.at, 0) if slot.type.is_arithmetic or
                      slot.type.is_pointer else ErrorExpr(ERROR, braces.at))  # fmt: skip
            return
        if items[0].designators:
            self.semantics.error(_item_at(items[0]), "designator in the initialiser of a scalar")
            return
        if len(items) > 1:
            self.semantics.warning(_item_at(items[1]), "excess elements in initialiser")
        value = items[0].value
        if isinstance(value, InitList):
            self._scalar_braces(slot, value)
        else:
            self.whole(slot, value)

    # ---- aggregates; `braces` tells whether this level has its own ----

    def _array(self, slot: _Slot, type_: ArrayType, cursor: _Cursor, braces: bool) -> int:
        element = type_.element
        index = 0
        length = 0
        while not cursor.done:
            if cursor.designated:
                if not braces:
                    break
                designator = cursor.item.designators[cursor.inside]
                if designator.name:
                    self._bad_designator(designator, slot.type)
                    cursor.advance()
                    continue
                if (
                    type_.length is not None and designator.high >= type_.length
                ) or designator.low < 0:
                    message = f"index {designator.high} is beyond the end of '{type_}'"
                    self.semantics.error(designator.at, message)
                    cursor.advance()
                    continue
                index = self._designated_elements(slot, element, cursor, designator)
                length = max(length, index)
                continue
            if type_.length is not None and index >= type_.length:
                break
            if not self._size_allowed(element, index, cursor):
                break
            self._next(_Slot(element, slot.offset + index * element.size), cursor)
            index += 1
            length = max(length, index)
        return length

    def _size_allowed(self, element: CType, index: int, cursor: _Cursor) -> bool:
        if index * max(element.size, 1) > MAX_INITIALISED_SIZE:
            self.semantics.error(_item_at(cursor.item), "the initialised object is too large")
            cursor.index = len(cursor.items)
            return False
        return True

    def _designated_elements(
        self, slot: _Slot, element: CType, cursor: _Cursor, designator: Designator
    ) -> int:
        if not self._size_allowed(element, designator.high, cursor):
            return 0
        if designator.high - designator.low >= MAX_RANGE:
            what = f"a range of more than {MAX_RANGE} indices is"
            self.semantics.refuse(designator.at, what)
            cursor.advance()
            return designator.low + 1
        start, inside = cursor.index, cursor.inside
        for index in range(designator.low, designator.high + 1):
            cursor.index, cursor.inside = start, inside + 1
            self._next(_Slot(element, slot.offset + index * element.size), cursor)
        return designator.high + 1

    def _record(self, slot: _Slot, type_: RecordType, cursor: _Cursor, braces: bool) -> None:
        record = type_.record
        members = record.members
        index = 0
        while not cursor.done:
            if cursor.designated:
                if not braces:
                    return
                designator = cursor.item.designators[cursor.inside]
                path = record.find(designator.name) if designator.name else ()
                if not path:
                    self._bad_designator(designator, type_)
                    cursor.advance()
                    continue
                index = self._designated_member(slot, type_, cursor, path)
                continue
            if index >= len(members) or (record.is_union and index > 0):
                return
            member = members[index]
            index += 1
            self._check_flexible(type_, member, cursor)
            if record.is_union:
                self._activate(slot, type_, member)
            self._next(_member_slot(slot, member), cursor)

    def _designated_member(
        self, slot: _Slot, type_: RecordType, cursor: _Cursor, path: tuple[Member, ...]
    ) -> int:
        """Initialise the member a designator names; return the index behind it."""
        first = path[0]
        if type_.record.is_union:
            self._activate(slot, type_, first)
        if len(path) > 1:  # in an anonymous record: go on in there with the same designator
            inner = _member_slot(slot, first)
            assert isinstance(inner.type, RecordType)
            self._record_step(inner, inner.type, cursor, path[1:])
        else:
            cursor.inside += 1
            self._check_flexible(type_, first, cursor)
            self._next(_member_slot(slot, first), cursor)
        return type_.record.members.index(first) + 1

    def _activate(self, slot: _Slot, union: RecordType, member: Member) -> None:
        """Initialising another member of a union undoes the one before; going on inside the same
        one (`.s.a = 1, .s.b = 2`) does not."""
        key = (slot.offset, id(union.record))
        if self.active.get(key) is not member:
            self._clear(slot.offset, union.size)
        self.active[key] = member

    def _record_step(
        self, slot: _Slot, type_: RecordType, cursor: _Cursor, path: tuple[Member, ...]
    ) -> None:
        index = self._designated_member(slot, type_, cursor, path)
        while not cursor.done and not cursor.designated and not type_.record.is_union:
            if index >= len(type_.record.members):
                return
            self._next(_member_slot(slot, type_.record.members[index]), cursor)
            index += 1

    def _check_flexible(self, record: RecordType, member: Member, cursor: _Cursor) -> None:
        if member.type.is_array and not member.type.complete and record.unqual is not self.flexible:
            self.semantics.error(
                _item_at(cursor.item),
                f"flexible array member '{member.name}' is initialised within an object that is "
                "not static or part of another",
            )
            cursor.index = len(cursor.items)

    def _bad_designator(self, designator: Designator, type_: CType) -> None:
        if designator.name:
            message = f"'{type_}' has no member named '{designator.name}'"
        else:
            message = f"an array index designates nothing in '{type_}'"
        self.semantics.error(designator.at, message)

    def _next(self, slot: _Slot, cursor: _Cursor) -> None:
        """Initialise a slot from the cursor's item, or from as many items as it takes."""
        if cursor.done:
            return
        if cursor.designated:
            self._descend(slot, cursor)
            return
        value = cursor.item.value
        if isinstance(value, InitList):
            cursor.advance()
            if slot.type.is_array or slot.type.is_record:
                self._clear(slot.offset, slot.type.size)
            self.braced(slot, value)
            return
        match slot.type:
            case ArrayType():
                if isinstance(value, StringConst) and _fits_string(slot.type, value):
                    cursor.advance()
                    self.whole(slot, value)
                else:
                    self._elided(slot, cursor)
            case RecordType() if not _same_record(slot.type, value):
                self._elided(slot, cursor)
            case _:
                cursor.advance()
                self.whole(slot, value)

    def _elided(self, slot: _Slot, cursor: _Cursor) -> None:
        """An aggregate whose braces are left out takes what it needs. One without members takes
        an item nevertheless, as in gcc."""
        before = cursor.index
        if isinstance(slot.type, ArrayType):
            self._array(slot, slot.type, cursor, False)
        elif isinstance(slot.type, RecordType):
            self._record(slot, slot.type, cursor, False)
        if cursor.index == before:
            self.semantics.warning(_item_at(cursor.item), "excess elements in initialiser")
            cursor.advance()

    def _descend(self, slot: _Slot, cursor: _Cursor) -> None:
        """More designators: `.a.b`, `[1].x`."""
        designator = cursor.item.designators[cursor.inside]
        match slot.type:
            case ArrayType() if not designator.name:
                length = slot.type.length
                if length is not None and designator.high >= length:
                    message = f"index {designator.high} is beyond the end of '{slot.type}'"
                    self.semantics.error(designator.at, message)
                    cursor.advance()
                    return
                index = self._designated_elements(slot, slot.type.element, cursor, designator)
                element = slot.type.element
                while (
                    not cursor.done and not cursor.designated and (length is None or index < length)
                ):
                    self._next(_Slot(element, slot.offset + index * element.size), cursor)
                    index += 1
            case RecordType() if designator.name and slot.type.record.find(designator.name):
                path = slot.type.record.find(designator.name)
                self._record_step(slot, slot.type, cursor, path)
            case _:
                self._bad_designator(designator, slot.type)
                cursor.advance()

    # ---- leaves ----

    def whole(self, slot: _Slot, value: Expr) -> int:
        """Initialise a slot by one expression; returns an array's length."""
        type_ = slot.type
        if isinstance(type_, ArrayType):
            if isinstance(value, StringConst) and _fits_string(type_, value):
                return self._string(slot, type_, value)
            if isinstance(value, CompoundLiteral) and compatible(type_, value.type):
                assert value.variable.init is not None
                for element in value.variable.init.elements:
                    part = _Slot(element.type, slot.offset + element.offset, element.member)
                    self._put(part, element.value)
                assert isinstance(value.type, ArrayType)
                return value.type.length or 0
            if not value.type.is_error:
                self.semantics.error(value.at, f"'{type_}' must be initialised by a list in braces")
            return 1
        made = self.semantics.assign_convert(value, type_, value.at, "initialising")
        self._put(slot, made)
        return 0

    def _string(self, slot: _Slot, type_: ArrayType, value: StringConst) -> int:
        data = value.data
        unit = type_.element.size
        if type_.length is not None:
            room = type_.length * unit
            if len(data) - unit > room:
                self.semantics.warning(value.at, f"string is too long for '{type_}'")
            data = data[:room]
        self._clear(slot.offset, len(data))
        kept = StringConst(ArrayType(type_.element, len(data) // unit), value.at, data)
        self._put(_Slot(kept.type, slot.offset), kept)
        return len(data) // unit

    def _put(self, slot: _Slot, value: Expr) -> None:
        member = slot.member if slot.member is not None and slot.member.width is not None else None
        if slot.type.is_record:
            self._clear(slot.offset, slot.type.size)
        self.last = max(self.last, slot.offset)
        key = (slot.offset, member.bit if member is not None else -1)
        self.elements.pop(key, None)
        self.elements[key] = Element(slot.offset, slot.type, value, member)

    def _clear(self, offset: int, size: int) -> None:
        """Forget what was said of a range of bytes that is initialised anew."""
        if offset > self.last:
            return
        for key in [k for k in self.elements if offset <= k[0] < offset + size]:
            del self.elements[key]

    def covers(self, type_: CType) -> bool:
        """Whether the elements leave no byte of the object to be zeroed."""
        end = 0
        for element in sorted(self.elements.values(), key=lambda e: e.offset):
            if element.member is not None or element.offset != end:
                return False
            end += element.type.size
        return end == type_.size


def _item_at(item: InitItem) -> int:
    return item.designators[0].at if item.designators else item.value.at


def _member_slot(slot: _Slot, member: Member) -> _Slot:
    return _Slot(member.type, slot.offset + member.offset, member)


def _same_record(type_: RecordType, value: Expr) -> bool:
    other = value.type
    return other.is_error or (isinstance(other, RecordType) and other.record is type_.record)


def _fits_string(type_: ArrayType, value: StringConst) -> bool:
    element = type_.element.unqual
    literal = value.type
    assert isinstance(literal, ArrayType)
    return (
        isinstance(element, IntegerType)
        and element.size == literal.element.size
        and not element.is_bool
        and (element.size == 1 or compatible(element, literal.element.unqual))
    )
