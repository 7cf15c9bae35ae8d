"""The macros that are defined before the first line.

They describe the one machine all ISAs present: LP64, little endian, IEEE floats. None of them
names an ISA, so that one source means the same on each; nor is `__GNUC__` defined, which would
promise extensions that are refused. Times are those of the epoch: the same input gives the same
bytes.
"""

from __future__ import annotations

_SIZES = {
    "SHORT": 2, "INT": 4, "LONG": 8, "LONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8, "LONG_DOUBLE": 8,
    "POINTER": 8, "SIZE_T": 8, "PTRDIFF_T": 8, "WCHAR_T": 4, "WINT_T": 4,
}  # fmt: skip
_TYPES = {
    "SIZE": "long unsigned int", "PTRDIFF": "long int", "WCHAR": "int", "WINT": "unsigned int",
    "INTMAX": "long int", "UINTMAX": "long unsigned int", "INTPTR": "long int",
    "UINTPTR": "long unsigned int", "SIG_ATOMIC": "int", "INT8": "signed char",
    "INT16": "short int", "INT32": "int", "INT64": "long int", "UINT8": "unsigned char",
    "UINT16": "short unsigned int", "UINT32": "unsigned int", "UINT64": "long unsigned int",
    "INT_LEAST8": "signed char", "INT_LEAST16": "short int", "INT_LEAST32": "int",
    "INT_LEAST64": "long int", "UINT_LEAST8": "unsigned char",
    "UINT_LEAST16": "short unsigned int", "UINT_LEAST32": "unsigned int",
    "UINT_LEAST64": "long unsigned int", "INT_FAST8": "signed char", "INT_FAST16": "long int",
    "INT_FAST32": "long int", "INT_FAST64": "long int", "UINT_FAST8": "unsigned char",
    "UINT_FAST16": "long unsigned int", "UINT_FAST32": "long unsigned int",
    "UINT_FAST64": "long unsigned int",
}  # fmt: skip
_BASIC = {
    "SCHAR": "signed char", "SHRT": "short int", "INT": "int", "LONG": "long int",
    "LONG_LONG": "long long int",
}  # fmt: skip
_INTEGERS = {
    "signed char": (8, ""), "unsigned char": (8, ""), "short int": (16, ""),
    "short unsigned int": (16, ""), "int": (32, ""), "unsigned int": (32, "U"),
    "long int": (64, "L"), "long unsigned int": (64, "UL"), "long long int": (64, "LL"),
}  # fmt: skip
"""The width of each type, and the suffix of its constants."""
_DOUBLE = {
    "MANT_DIG": "53", "DIG": "15", "DECIMAL_DIG": "17", "MIN_EXP": "(-1021)", "MAX_EXP": "1024",
    "MIN_10_EXP": "(-307)", "MAX_10_EXP": "308", "MAX": "1.7976931348623157e+308",
    "NORM_MAX": "1.7976931348623157e+308", "MIN": "2.2250738585072014e-308",
    "EPSILON": "2.2204460492503131e-16", "DENORM_MIN": "4.9406564584124654e-324",
}  # fmt: skip
_FLOAT = {
    "MANT_DIG": "24", "DIG": "6", "DECIMAL_DIG": "9", "MIN_EXP": "(-125)", "MAX_EXP": "128",
    "MIN_10_EXP": "(-37)", "MAX_10_EXP": "38", "MAX": "3.40282347e+38F",
    "NORM_MAX": "3.40282347e+38F", "MIN": "1.17549435e-38F", "EPSILON": "1.19209290e-7F",
    "DENORM_MIN": "1.40129846e-45F",
}  # fmt: skip
_FACTS = {"HAS_DENORM": "1", "HAS_INFINITY": "1", "HAS_QUIET_NAN": "1"}
_PLAIN = {
    "__HCC__": "1", "__STDC__": "1", "__STDC_VERSION__": "199901L", "__STDC_HOSTED__": "1",
    "__STDC_NO_ATOMICS__": "1", "__STDC_NO_COMPLEX__": "1", "__STDC_NO_THREADS__": "1",
    "__LP64__": "1", "_LP64": "1", "__CHAR_BIT__": "8",
    "__ORDER_LITTLE_ENDIAN__": "1234", "__ORDER_BIG_ENDIAN__": "4321",
    "__BYTE_ORDER__": "__ORDER_LITTLE_ENDIAN__",
    "__FLOAT_WORD_ORDER__": "__ORDER_LITTLE_ENDIAN__",
    "__unix__": "1", "__unix": "1", "unix": "1", "__linux__": "1", "__linux": "1", "linux": "1",
    "__FLT_EVAL_METHOD__": "0", "__FLT_RADIX__": "2",
    "__DECIMAL_DIG__": "17", "__STDC_IEC_559__": "1",
    "__WCHAR_MIN__": "(-2147483647 - 1)", "__WINT_MIN__": "0U",
    "__SIG_ATOMIC_MIN__": "(-2147483647 - 1)",
    "__CHAR16_TYPE__": "short unsigned int", "__CHAR32_TYPE__": "unsigned int",
    "__DATE__": '"Jan  1 1970"', "__TIME__": '"00:00:00"',
    "__hcc_leaf": "__attribute__((hcc_leaf))",
    "__pim": "__attribute__((hcc_pim))",
}  # fmt: skip


def predefined_macros() -> list[str]:
    """The definitions, as they would stand behind #define."""
    floats = {"FLT": _FLOAT, "DBL": _DOUBLE, "LDBL": {k: _long(v) for k, v in _DOUBLE.items()}}
    integers = _TYPES | _BASIC
    return [
        *(f"{name} {value}" for name, value in _PLAIN.items()),
        *(f"__SIZEOF_{name}__ {size}" for name, size in _SIZES.items()),
        *(f"__{name}_TYPE__ {type_}" for name, type_ in _TYPES.items()),
        *(f"__{name}_MAX__ {_largest(type_)}" for name, type_ in integers.items()),
        *(
            f"__{name}_WIDTH__ {_INTEGERS[type_][0]}"
            for name, type_ in integers.items()
            if not name.startswith("UINT") and name not in ("INT8", "INT16", "INT32", "INT64")
        ),
        *(
            f"__{prefix}_{name}__ {value}"
            for prefix, facts in floats.items()
            for name, value in (facts | _FACTS).items()
        ),
    ]


def _long(text: str) -> str:
    """A constant of type double as one of long double, which is the same here."""
    return text + "L" if "e" in text else text


def _largest(type_: str) -> str:
    """The largest value of an integer type, as a constant of the promoted type."""
    width, suffix = _INTEGERS[type_]
    return f"{(1 << width - ('unsigned' not in type_)) - 1}{suffix}"
