"""Declaration specifiers: storage class, qualifiers, attributes and the named type (6.7.1-3)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from attrs import define, field

from hcc.compiler.kernelc.forms import Forms
from hcc.compiler.kernelc.lexer import Attribute
from hcc.compiler.kernelc.scope import EnumConstant, TagEntry, Typedef
from hcc.compiler.kernelc.semantics import Mark
from hcc.compiler.kernelc.syntax import Expr
from hcc.compiler.kernelc.tokens import Token
from hcc.compiler.kernelc.types import (
    BOOL,
    CHAR,
    CONST,
    DOUBLE,
    ERROR,
    FLOAT,
    FLOAT16,
    INT,
    LDOUBLE,
    LLONG,
    LONG,
    RESTRICT,
    SCHAR,
    SHORT,
    UCHAR,
    UINT,
    ULLONG,
    ULONG,
    USHORT,
    VOID_TYPE,
    VOLATILE,
    CType,
    IntegerType,
    Record,
    RecordType,
    qualified,
)

QUALIFIERS = {"const": CONST, "volatile": VOLATILE, "restrict": RESTRICT}
_STORAGE = ("typedef", "extern", "static", "auto", "register")
_REFUSED_WORDS = {
    "_Complex": "_Complex is", "_Imaginary": "_Imaginary is", "__int128": "__int128 is",
    "_Float128": "__float128 is", "_Decimal32": "decimal floating point is",
    "_Decimal64": "decimal floating point is", "_Decimal128": "decimal floating point is",
}  # fmt: skip
_BUILTIN_TYPES: dict[str, CType] = {
    "void": VOID_TYPE, "_Bool": BOOL, "float": FLOAT, "double": DOUBLE, "double long": LDOUBLE,
    "_Float16": FLOAT16,
    "char": CHAR, "char signed": SCHAR, "char unsigned": UCHAR,
    "short": SHORT, "short signed": SHORT, "short unsigned": USHORT,
    "int": INT, "signed": INT, "unsigned": UINT, "int signed": INT, "int unsigned": UINT,
    "int short": SHORT, "int short signed": SHORT, "int short unsigned": USHORT,
    "long": LONG, "long signed": LONG, "long unsigned": ULONG,
    "int long": LONG, "int long signed": LONG, "int long unsigned": ULONG,
    "long long": LLONG, "long long signed": LLONG, "long long unsigned": ULLONG,
    "int long long": LLONG, "int long long signed": LLONG, "int long long unsigned": ULLONG,
}  # fmt: skip
_REFUSED_ATTRIBUTES = {
    "vector_size": "the vector extension (attribute vector_size) is",
    "ext_vector_type": "the vector extension (attribute ext_vector_type) is",
    "cleanup": "attribute cleanup is",
    "alias": "attribute alias is",
    "weakref": "attribute weakref is",
    "ifunc": "attribute ifunc is",
    "constructor": "attribute constructor is",
    "destructor": "attribute destructor is",
}
_INTEGER_MODES = {
    "QI": 1, "byte": 1, "HI": 2, "SI": 4, "DI": 8, "word": 8, "unwind_word": 8, "pointer": 8,
}  # fmt: skip
_FLOAT_MODES = {"HF": FLOAT16, "SF": FLOAT, "DF": DOUBLE}
_OF_SIZE = {
    1: (UCHAR, SCHAR), 2: (USHORT, SHORT), 4: (UINT, INT), 8: (ULONG, LONG),
}  # fmt: skip
"""The integer type of a size: unsigned, signed."""


@define(eq=False)
class Attributes:
    """The attributes that mean something to us."""

    packed: bool = False
    align: int = 0
    noreturn: bool = False
    noinline: bool = False
    leaf: bool = False
    pim: bool = False
    mode: str = ""
    mode_at: int = 0


@define(eq=False)
class Specs:
    """The specifiers of one declaration, as they are read."""

    at: int
    storage: str = ""
    quals: int = 0
    inline: bool = False
    words: list[str] = field(factory=list)
    named: CType | None = None
    defines_tag: bool = False
    attributes: Attributes = field(factory=Attributes)
    type: CType | None = None
    """The resulting type, once `resolve_specs` has been called."""


class Specifiers(Forms, ABC):
    """The actions of specifiers, records and enumerations' heads."""

    enumerators: list[EnumConstant]

    # ---- collecting ----

    def on_specs_first(self, part: Any) -> Specs:
        at = part.lineno if isinstance(part, Token) else part[1] if isinstance(part, tuple) else 0
        return self._specify(Specs(at), part)

    def on_specs_more(self, specs: Specs, part: Any) -> Specs:
        return self._specify(specs, part)

    def _specify(self, specs: Specs, part: Any) -> Specs:
        if isinstance(part, tuple):
            kind, at, value = part
            if kind == "align":
                specs.attributes.align = max(specs.attributes.align, value)
            elif specs.named is not None or specs.words:
                self.error(at, "two types in one declaration")
            else:
                specs.named = value
                specs.defines_tag = kind == "tag"
            specs.at = specs.at or at
            return specs
        word = part.value
        match part.kind:
            case "QUALIFIER":
                specs.quals |= QUALIFIERS[word]
            case "STORAGE":
                self._storage(specs, part)
            case "ATTRIBUTE":
                self.apply_attributes(specs.attributes, part.payload)
            case _:
                self._builtin_word(specs, part)
        return specs

    def _storage(self, specs: Specs, token: Token) -> None:
        word = token.value
        if word == "inline":
            specs.inline = True
        elif word == "_Noreturn":
            specs.attributes.noreturn = True
        elif word == "_Thread_local":
            self.refuse(token.lineno, "thread-local storage is")
        elif specs.storage and specs.storage != word:
            self.error(token.lineno, f"'{word}' and '{specs.storage}' in one declaration")
        else:
            specs.storage = word

    def _builtin_word(self, specs: Specs, token: Token) -> None:
        word = token.value
        if word in _REFUSED_WORDS:
            self.refuse(token.lineno, _REFUSED_WORDS[word])
            specs.named = ERROR
        elif specs.named is not None:
            if not specs.named.is_error:
                self.error(token.lineno, f"'{word}' after another type in one declaration")
        else:
            specs.words.append(word)

    def resolve_specs(self, specs: Specs) -> CType:
        """The type the specifiers name; int if they name none."""
        if specs.type is not None:
            return specs.type
        type_ = specs.named
        if type_ is None and specs.words:
            key = " ".join(sorted(specs.words))
            type_ = _BUILTIN_TYPES.get(key)
            if type_ is None:
                words = " ".join(specs.words)
                self.error(specs.at, f"'{words}' is not a type")
                type_ = ERROR
        elif type_ is None:
            self.warning(specs.at, "type specifier missing; int assumed")
            type_ = INT
        if specs.attributes.packed and isinstance(type_, RecordType) and specs.defines_tag:
            specs.attributes.packed = False
        if specs.quals:
            if specs.quals & RESTRICT and not type_.is_pointer and not type_.is_error:
                self.error(specs.at, f"restrict on '{type_}', which is no pointer")
            type_ = qualified(type_, specs.quals)
        specs.type = type_
        return type_

    # ---- attributes ----

    def apply_attributes(self, to: Attributes, attributes: list[Attribute]) -> None:
        """Take note of attributes; unknown ones are ignored, as the language of attributes is."""
        for name, at, args in attributes:
            match name:
                case "packed":
                    to.packed = True
                case "noreturn":
                    to.noreturn = True
                case "noinline":
                    to.noinline = True
                case "hcc_leaf":
                    to.leaf = True
                case "hcc_pim":
                    to.pim = True
                case "mode":
                    to.mode, to.mode_at = "".join(t.value for t in args).strip("_"), at
                case "aligned":
                    align = 16
                    if args:
                        value = self.evaluate_tokens(args)
                        align = value if value is not None else 0
                    self._set_align(to, align, at)
                case _ if name in _REFUSED_ATTRIBUTES:
                    self.refuse(at, _REFUSED_ATTRIBUTES[name])

    def _set_align(self, to: Attributes, align: int, at: int) -> None:
        if align <= 0 or align & (align - 1) or align > 1 << 16:
            self.error(at, "an alignment must be a power of two, and not over 65536")
        else:
            to.align = max(to.align, align)

    def in_mode(self, type_: CType, attributes: Attributes) -> CType:
        """The type that `mode` makes of one: another size, the same kind."""
        mode, at = attributes.mode, attributes.mode_at
        size = _INTEGER_MODES.get(mode)
        if type_.is_error:
            return type_
        if size is None and mode not in _FLOAT_MODES:
            self.refuse(at, f"attribute mode({mode}) is")
            return ERROR
        if isinstance(type_, IntegerType) and type_.enum:
            self.refuse(at, "attribute mode on an enumeration is")
            return ERROR
        if isinstance(type_, IntegerType) and size and not type_.is_bool:
            return qualified(_OF_SIZE[size][type_.signed], type_.quals)
        if type_.is_floating and not size:
            return qualified(_FLOAT_MODES[mode], type_.quals)
        if not (type_.is_pointer and size == type_.size):
            self.error(at, f"mode '{mode}' does not fit '{type_}'")
        return type_

    def refuse_mode(self, attributes: Attributes, what: str) -> None:
        if attributes.mode:
            self.refuse(attributes.mode_at, f"attribute mode on {what} is")

    @abstractmethod
    def evaluate_tokens(self, tokens: list[Token]) -> int | None:
        """The value of a constant expression given as unparsed tokens."""

    def on_alignas_type(self, word: Token, _o: Token, type_: CType, _c: Token) -> Any:
        return ("align", word.lineno, type_.align)

    def on_alignas_value(self, word: Token, _o: Token, value: Expr, _c: Token) -> Any:
        attributes = Attributes()
        if self.constant_integer(value, "an alignment") != 0:
            self._set_align(attributes, self.constant_integer(value, "an alignment"), word.lineno)
        return ("align", word.lineno, attributes.align)

    # ---- named types ----

    def on_typedef_name(self, token: Token) -> Any:
        entity = self.scope.find(token.value)
        assert isinstance(entity, Typedef)
        return ("type", token.lineno, entity.type)

    def on_typeof_type(self, word: Token, _o: Token, type_: CType, _c: Token) -> Any:
        return ("type", word.lineno, type_)

    def on_typeof_expression(self, word: Token, _o: Token, expr: Expr, _c: Token) -> Any:
        return ("type", word.lineno, expr.type)

    def on_atomic(self, word: Token, *_: object) -> Any:
        self.refuse(word.lineno, "_Atomic is")
        return ("type", word.lineno, ERROR)

    def on_atomic_qualifier(self, word: Token) -> Any:
        self.refuse(word.lineno, "_Atomic is")
        return ("align", word.lineno, 0)

    # ---- struct and union ----

    def on_record_reference(self, word: Token, attributes: list[Any], name: Token) -> Any:
        entry = self.scope.find_tag(name.value)
        if entry is None or (
            self.next_kind() == ";" and self.scope.find_tag_here(name.value) is None
        ):
            entry = self._declare_record(word, name)
        elif entry.kind != word.value:
            self._wrong_tag(entry, word, name)
            return ("type", word.lineno, ERROR)
        return ("tag", word.lineno, entry.type)

    def _declare_record(self, word: Token, name: Token) -> TagEntry:
        record = Record(word.value == "union", name.value, name.lineno)
        entry = TagEntry(word.value, RecordType(record), name.lineno)
        self.scope.declare_tag(name.value, entry)
        return entry

    def _wrong_tag(self, entry: TagEntry, word: Token, name: Token) -> None:
        note = self.note(entry.at, f"'{entry.kind} {name.value}' is declared here")
        self.error_on(name, f"'{name.value}' is not a {word.value} tag", note)

    def on_record_head(self, word: Token, attributes: list[Any], name: Token, _open: Token) -> Mark:
        entry = self.scope.find_tag_here(name.value)
        if entry is not None and entry.kind != word.value:
            self._wrong_tag(entry, word, name)
            entry = None
        elif entry is not None and isinstance(entry.type, RecordType):
            record = entry.type.record
            if record.complete or record.being_defined:
                note = self.note(record.at, "it was defined here")
                self.error_on(name, f"redefinition of '{word.value} {name.value}'", note)
                entry = None
        if entry is None:
            entry = self._declare_record(word, name)
        assert isinstance(entry.type, RecordType)
        entry.type.record.at = name.lineno
        return self._open_record(entry.type, word, attributes)

    def on_record_head_anonymous(self, word: Token, attributes: list[Any], _open: Token) -> Mark:
        record = Record(word.value == "union", "", word.lineno)
        return self._open_record(RecordType(record), word, attributes)

    def _open_record(self, type_: RecordType, word: Token, tokens: list[Any]) -> Mark:
        attributes = Attributes()
        for token in tokens:
            self.apply_attributes(attributes, token.payload)
        self.refuse_mode(attributes, "a struct or union")
        type_.record.packed = attributes.packed
        type_.record.being_defined = True
        mark = self.mark(word.lineno, (type_, attributes), braces=1)
        self.open_members(type_)
        return mark

    @abstractmethod
    def open_members(self, type_: RecordType) -> None: ...

    # ---- enumerations ----

    def on_enum_reference(self, word: Token, attributes: list[Any], name: Token) -> Any:
        entry = self.scope.find_tag(name.value)
        if entry is None:
            entry = self._declare_enum(name)
        if entry.kind != "enum":
            self._wrong_tag(entry, word, name)
            return ("type", word.lineno, ERROR)
        return ("tag", word.lineno, entry.type)

    def _declare_enum(self, name: Token) -> TagEntry:
        """An enumeration whose size is not known yet, as gcc has them."""
        shown = f"enum {name.value}"
        type_ = IntegerType(shown, UINT.size, UINT.signed, UINT.rank, enum=shown)
        type_.forward = True
        entry = TagEntry("enum", type_, name.lineno)
        self.scope.declare_tag(name.value, entry)
        return entry

    def on_enum_head(self, word: Token, attributes: list[Any], name: Token, _open: Token) -> Mark:
        entry = self.scope.find_tag_here(name.value)
        if entry is not None and (entry.kind != "enum" or entry.type.complete):
            note = self.note(entry.at, f"'{entry.kind} {name.value}' was defined here")
            self.error_on(name, f"redefinition of 'enum {name.value}'", note)
        return self._open_enum(word, name, attributes)

    def on_enum_head_anonymous(self, word: Token, attributes: list[Any], _open: Token) -> Mark:
        return self._open_enum(word, None, attributes)

    def _open_enum(self, word: Token, name: Token | None, attributes: list[Any]) -> Mark:
        self.enumerators: list[EnumConstant] = []
        return self.mark(word.lineno, (name, attributes), braces=1)

    def on_enumerator(self, name: Token, _attributes: list[Any]) -> None:
        value = self.enumerators[-1].value + 1 if self.enumerators else 0
        self._enumerate(name, value)

    def on_enumerator_value(
        self, name: Token, _attributes: list[Any], _eq: Token, expr: Expr
    ) -> None:
        self._enumerate(name, self.constant_integer(expr, f"the value of '{name.value}'"))

    def _enumerate(self, name: Token, value: int) -> None:
        before = self.scope.find_here(name.value)
        if before is not None:
            note = self.note(before.at, "the other declaration is here")
            self.error_on(name, f"redeclaration of '{name.value}'", note)
        type_ = INT if INT.low <= value <= INT.high else UINT if 0 <= value <= UINT.high else LONG
        constant = EnumConstant(name.value, type_, name.lineno, value)
        self.enumerators.append(constant)
        self.scope.declare(name.value, constant)

    def on_enumeration(self, mark: Mark, *rest: Any) -> Any:
        values = [c.value for c in self.enumerators]
        name, tokens = mark.value
        attributes = Attributes()
        for token in (*tokens, *rest[-1]):
            self.apply_attributes(attributes, token.payload)
        self.refuse_mode(attributes, "an enumeration")
        base = _enum_base(min(values, default=0), max(values, default=0), attributes.packed)
        shown = f"enum {name.value if name is not None else '<anonymous>'}"
        type_ = IntegerType(shown, base.size, base.signed, base.rank, enum=shown)
        if name is not None:
            entry = self.scope.find_tag_here(name.value)
            if entry is not None and isinstance(entry.type, IntegerType) and entry.type.forward:
                type_ = entry.type
                type_.define(base)
                entry.complete = True
            else:
                self.scope.declare_tag(name.value, TagEntry("enum", type_, name.lineno, True))
        if base.size > 4:
            for constant in self.enumerators:
                constant.type = LONG if base.signed else ULONG
        return ("tag", mark.at, type_)


def _enum_base(low: int, high: int, packed: bool) -> IntegerType:
    """The integer type that an enumeration's values are kept in: unsigned if none is negative, of
    the least size if it is packed, else at least of four bytes."""
    for size in (1, 2, 4) if packed else (4,):
        base = _OF_SIZE[size][low < 0]
        if base.low <= low and high <= base.high:
            return base
    return _OF_SIZE[8][low < 0]
