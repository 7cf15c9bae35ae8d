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
_LIMITS = {
    "SCHAR": "127", "SHRT": "32767", "INT": "2147483647", "LONG": "9223372036854775807L",
    "LONG_LONG": "9223372036854775807LL", "WCHAR": "2147483647",
    "SIZE": "18446744073709551615UL", "PTRDIFF": "9223372036854775807L",
    "INTMAX": "9223372036854775807L", "UINTMAX": "18446744073709551615UL",
}  # fmt: skip
_TYPES = {
    "SIZE": "long unsigned int", "PTRDIFF": "long int", "WCHAR": "int", "WINT": "unsigned int",
    "INTMAX": "long int", "UINTMAX": "long unsigned int", "INTPTR": "long int",
    "UINTPTR": "long unsigned int", "INT8": "signed char", "INT16": "short int",
    "INT32": "int", "INT64": "long int", "UINT8": "unsigned char", "UINT16": "short unsigned int",
    "UINT32": "unsigned int", "UINT64": "long unsigned int",
}  # fmt: skip
_PLAIN = {
    "__HCC__": "1", "__STDC__": "1", "__STDC_VERSION__": "199901L", "__STDC_HOSTED__": "1",
    "__STDC_NO_ATOMICS__": "1", "__STDC_NO_COMPLEX__": "1", "__STDC_NO_THREADS__": "1",
    "__LP64__": "1", "_LP64": "1", "__CHAR_BIT__": "8",
    "__ORDER_LITTLE_ENDIAN__": "1234", "__ORDER_BIG_ENDIAN__": "4321",
    "__BYTE_ORDER__": "__ORDER_LITTLE_ENDIAN__",
    "__FLOAT_WORD_ORDER__": "__ORDER_LITTLE_ENDIAN__",
    "__unix__": "1", "__unix": "1", "unix": "1", "__linux__": "1", "__linux": "1", "linux": "1",
    "__FLT_EVAL_METHOD__": "0", "__FLT_RADIX__": "2",
    "__FLT_MANT_DIG__": "24", "__FLT_DIG__": "6", "__FLT_MAX__": "3.40282347e+38F",
    "__FLT_MIN__": "1.17549435e-38F", "__FLT_EPSILON__": "1.19209290e-7F",
    "__DBL_MANT_DIG__": "53", "__DBL_DIG__": "15", "__DBL_MAX__": "1.7976931348623157e+308",
    "__DBL_MIN__": "2.2250738585072014e-308", "__DBL_EPSILON__": "2.2204460492503131e-16",
    "__DBL_DENORM_MIN__": "4.9406564584124654e-324", "__DBL_MAX_EXP__": "1024",
    "__DATE__": '"Jan  1 1970"', "__TIME__": '"00:00:00"',
    "__hcc_leaf": "__attribute__((hcc_leaf))",
    "__pim": "__attribute__((hcc_pim))",
}  # fmt: skip


def predefined_macros() -> list[str]:
    """The definitions, as they would stand behind #define."""
    return [
        *(f"{name} {value}" for name, value in _PLAIN.items()),
        *(f"__SIZEOF_{name}__ {size}" for name, size in _SIZES.items()),
        *(f"__{name}_MAX__ {value}" for name, value in _LIMITS.items()),
        *(f"__{name}_TYPE__ {name_}" for name, name_ in _TYPES.items()),
    ]
