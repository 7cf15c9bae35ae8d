"""From preprocessing tokens to the parser's: keywords, constants, joined strings, attributes.

Each token gets a `kind`, the terminal it is in the grammar. Operators and keywords are their own
kind, except those the grammar need not tell apart (QUALIFIER, STORAGE, BUILTIN, BINOP, ASSIGNOP).
An `__attribute__((...))` becomes one token, because its words are no C: its value is the list of
(name, argument tokens). Identifiers stay IDENT; whether one is a typedef name is asked by the
parser when it gets there. Initialisers that are tables of integers are one token already.
"""

from __future__ import annotations

from collections.abc import Callable

from hcc.compiler.kernelc.constants import (
    LiteralError,
    char_constant,
    number,
    unescape,
)
from hcc.compiler.kernelc.literal_tables import with_tables
from hcc.compiler.kernelc.tokens import CHAR, ID, NUMBER, PUNCT, STRING, Token
from hcc.compiler.kernelc.types import CHAR as CHAR_TYPE
from hcc.compiler.kernelc.types import INT, UINT, USHORT, CType

Report = Callable[[int, str], None]

IDENT, TYPE_NAME, CONSTANT, STRINGS, ATTRIBUTE, ASM, END = (
    "IDENT",
    "TYPE_NAME",
    "CONSTANT",
    "STRING",
    "ATTRIBUTE",
    "ASM",
    "$END",
)

_SPELLINGS = {
    "QUALIFIER": "const volatile restrict",
    "STORAGE": "typedef extern static auto register inline _Noreturn _Thread_local",
    "BUILTIN": "void char short int long float double signed unsigned _Bool _Float16 _Complex "
    "_Imaginary __int128 _Float128 _Decimal32 _Decimal64 _Decimal128 __auto_type",
    "STRUCT": "struct union",
}
_OWN_KIND = (
    "enum if else while do for switch case default break continue return goto sizeof "
    "_Alignof _Static_assert _Generic typeof _Alignas _Atomic "
    "__builtin_va_arg __builtin_offsetof __builtin_types_compatible_p"
)
_ALIASES = {
    "__const": "const", "__const__": "const", "__volatile": "volatile",
    "__volatile__": "volatile", "__restrict": "restrict", "__restrict__": "restrict",
    "__inline": "inline", "__inline__": "inline", "__signed": "signed", "__signed__": "signed",
    "__thread": "_Thread_local", "__complex__": "_Complex", "__complex": "_Complex",
    "__alignof__": "_Alignof", "__alignof": "_Alignof", "__typeof__": "typeof",
    "__typeof": "typeof", "__int128_t": "__int128", "__uint128_t": "__int128",
    "__float128": "_Float128", "_Float32": "float", "_Float64": "double",
}  # fmt: skip


def _keywords() -> dict[str, tuple[str, str]]:
    table = {w: (kind, w) for kind, words in _SPELLINGS.items() for w in words.split()}
    table |= {word: (word, word) for word in _OWN_KIND.split()}
    return table | {alias: table[word] for alias, word in _ALIASES.items()}


KEYWORDS = _keywords()
_BINARY = frozenset(["/", "%", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "^", "|", "||"])
_ASSIGNMENT = frozenset(["+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="])
_PUNCTUATION = {
    **{
        text: text
        for text in [
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ".",
            "->",
            "++",
            "--",
            "&",
            "*",
            "+",
            "-",
            "~",
            "!",
            "?",
            ":",
            ";",
            ",",
            "=",
            "...",
            "&&",
        ]
    },
    **dict.fromkeys(_BINARY, "BINOP"),
    **dict.fromkeys(_ASSIGNMENT, "ASSIGNOP"),
}
_ATTRIBUTE_WORDS = ("__attribute__", "__attribute")
_ASM_WORDS = ("asm", "__asm__", "__asm")
_IGNORED = ("__extension__",)

Number = tuple[int | float, CType]
Literal = tuple[bytes, CType]


class ParseToken(Token):
    """A token whose value is decoded: `payload` is a constant's value and type, a string's bytes
    and element type, or an attribute's list."""

    __slots__ = ("payload",)

    payload: object

    def __init__(self, token: Token, kind: str, payload: object = None) -> None:
        super().__init__(token.type, token.value, token.lineno, token.space)
        self.kind = kind
        self.payload = payload


Attribute = tuple[str, int, list[Token]]


def convert(tokens: list[Token], report: Report) -> list[Token]:
    """The parser's tokens, in order, without an end marker."""
    tokens = with_tables(tokens)
    out: list[Token] = []
    numbers: dict[str, Number] = {}
    i, count = 0, len(tokens)
    while i < count:
        token = tokens[i]
        i += 1
        if token.kind:
            out.append(token)
        elif token.type == ID:
            keyword = KEYWORDS.get(token.value)
            if keyword is not None:
                token.kind, token.value = keyword
                out.append(token)
            elif token.value.startswith("_") or token.value == "asm":
                i = _special(tokens, i, out, report)
            else:
                token.kind = IDENT
                out.append(token)
        elif token.type == PUNCT:
            kind = _PUNCTUATION.get(token.value)
            if kind is None:
                report(token.lineno, f"stray '{token.value}' in program")
                continue
            token.kind = kind
            out.append(token)
        elif token.type == NUMBER:
            out.append(_number(token, numbers, report))
        elif token.type == STRING:
            i = _string(tokens, i - 1, out, report)
        elif token.type == CHAR:
            out.append(_char(token, report))
        else:
            _stray(token, report)
    return out


def _special(tokens: list[Token], i: int, out: list[Token], report: Report) -> int:
    """An identifier that starts with an underscore, or asm: it may not be what it seems."""
    token = tokens[i - 1]
    word = token.value
    if word in _ATTRIBUTE_WORDS or word in _ASM_WORDS:
        while word in _ASM_WORDS and i < len(tokens) and _is_asm_qualifier(tokens[i]):
            i += 1
        end = _closing(tokens, i)
        if end < 0:
            report(token.lineno, f"expected '(' and a matching ')' after '{word}'")
            return i
        if word in _ASM_WORDS:
            report(
                token.lineno, "inline assembly is not supported: kernel C is the same on all ISAs"
            )
            out.append(ParseToken(token, ASM))
        else:
            out.append(ParseToken(token, ATTRIBUTE, _attributes(tokens[i + 1 : end - 1])))
        return end
    if word == "_Pragma":
        return max(_closing(tokens, i), i)
    if word in _IGNORED:
        return i
    if word in ("__func__", "__FUNCTION__", "__PRETTY_FUNCTION__"):
        token.value = "__func__"
    token.kind = IDENT
    out.append(token)
    return i


def _is_asm_qualifier(token: Token) -> bool:
    return token.value in ("volatile", "__volatile__", "__volatile", "goto", "inline")


def _closing(tokens: list[Token], i: int) -> int:
    """Behind the parenthesis that closes the one at `i`; -1 if there is none."""
    if i >= len(tokens) or tokens[i].value != "(":
        return -1
    depth = 0
    for j in range(i, len(tokens)):
        if tokens[j].type == PUNCT:
            depth += (tokens[j].value == "(") - (tokens[j].value == ")")
            if depth == 0:
                return j + 1
    return -1


def _attributes(tokens: list[Token]) -> list[Attribute]:
    """The attributes of `__attribute__((...))`, from the tokens within the outer parentheses."""
    found: list[Attribute] = []
    end = _closing(tokens, 0)
    inside = tokens[1 : end - 1]
    i = 0
    while i < len(inside):
        token = inside[i]
        i += 1
        if token.type != ID:
            continue
        args: list[Token] = []
        stop = _closing(inside, i)
        if stop > 0:
            args = inside[i + 1 : stop - 1]
            i = stop
        name = token.value
        if name.startswith("__") and name.endswith("__") and len(name) > 4:
            name = name[2:-2]
        found.append((name, token.lineno, args))
    return found


def _number(token: Token, cache: dict[str, Number], report: Report) -> Token:
    text = token.value
    value = cache.get(text)
    if value is None:
        try:
            value = number(text)
        except LiteralError as error:
            report(token.lineno, str(error))
            value = (0, INT)
        cache[text] = value
    return ParseToken(token, CONSTANT, value)


def _char(token: Token, report: Report) -> Token:
    try:
        payload: Number = char_constant(token.value)
    except LiteralError as error:
        report(token.lineno, str(error))
        payload = (0, INT)
    return ParseToken(token, CONSTANT, payload)


_ELEMENTS: dict[str, CType] = {"": CHAR_TYPE, "u8": CHAR_TYPE, "L": INT, "u": USHORT, "U": UINT}


def _string(tokens: list[Token], i: int, out: list[Token], report: Report) -> int:
    """Adjacent string literals as one token; its bytes have no terminator yet."""
    first = tokens[i]
    parts: list[tuple[str, Token]] = []
    element: CType = CHAR_TYPE
    while i < len(tokens) and tokens[i].type == STRING:
        text = tokens[i].value
        prefix = text[: text.index('"')]
        if _ELEMENTS[prefix] is not CHAR_TYPE:
            element = _ELEMENTS[prefix]
        parts.append((text[len(prefix) + 1 : -1], tokens[i]))
        i += 1
    data = b""
    for inside, token in parts:
        try:
            values = unescape(inside, element is not CHAR_TYPE)
            data += b"".join(v.to_bytes(element.size, "little") for v in values)
        except (LiteralError, OverflowError) as error:
            report(token.lineno, str(error) or "character out of range")
    out.append(ParseToken(first, STRINGS, (data, element)))
    return i


def _stray(token: Token, report: Report) -> None:
    text = token.value
    if text in "'\"":
        report(token.lineno, f"missing terminating {text} character")
    elif len(text) == 1 and 0xDC80 <= ord(text) <= 0xDCFF:
        report(token.lineno, f"stray byte 0x{ord(text) - 0xDC00:02x} in program")
    else:
        shown = text if text.isprintable() else ascii(text)[1:-1]
        report(token.lineno, f"stray '{shown}' in program")
