"""Functions the compiler knows: `__builtin_*` forms, and library functions called undeclared.

A builtin that is an operation of the IR becomes a `Builtin` node; one that only means a library
function (`__builtin_memcpy`) becomes a call of it, with the prototype that libhcc's header gives.
"""

from __future__ import annotations

import math
from abc import abstractmethod

from attrs import define

from hcc.compiler.kernelc.initializers import Initializers
from hcc.compiler.kernelc.operators import is_lvalue, truth
from hcc.compiler.kernelc.scope import Function
from hcc.compiler.kernelc.syntax import (
    AddressOf,
    Builtin,
    ErrorExpr,
    Expr,
    FloatConst,
    IntConst,
    StringConst,
)
from hcc.compiler.kernelc.types import (
    BOOL,
    CHAR_POINTER,
    CONST,
    CONST_VOID_POINTER,
    DOUBLE,
    ERROR,
    FLOAT,
    INT,
    LDOUBLE,
    LLONG,
    LONG,
    UINT,
    ULLONG,
    ULONG,
    USHORT,
    VOID_POINTER,
    VOID_TYPE,
    CType,
    IntegerType,
    PointerType,
)

_FIXED: dict[str, tuple[CType, tuple[CType, ...]]] = {
    "__builtin_expect": (LONG, (LONG, LONG)),
    "__builtin_unreachable": (VOID_TYPE, ()),
    "__builtin_trap": (VOID_TYPE, ()),
    "__builtin_alloca": (VOID_POINTER, (ULONG,)),
    "__builtin_assume_aligned": (VOID_POINTER, (CONST_VOID_POINTER, ULONG)),
    "__builtin_bswap16": (USHORT, (USHORT,)),
    "__builtin_bswap32": (UINT, (UINT,)),
    "__builtin_bswap64": (ULONG, (ULONG,)),
}
for _bits in ("clz", "ctz", "popcount", "parity"):
    for _suffix, _type in (("", UINT), ("l", ULONG), ("ll", ULLONG)):
        _FIXED[f"__builtin_{_bits}{_suffix}"] = (INT, (_type,))
for _suffix, _signed in (("", INT), ("l", LONG), ("ll", LLONG)):
    _FIXED[f"__builtin_ffs{_suffix}"] = (INT, (_signed,))
for _suffix, _float in (("", DOUBLE), ("f", FLOAT), ("l", LDOUBLE)):
    _FIXED[f"__builtin_sqrt{_suffix}"] = (_float, (_float,))
    _FIXED[f"__builtin_fabs{_suffix}"] = (_float, (_float,))
    _FIXED[f"__builtin_copysign{_suffix}"] = (_float, (_float, _float))

_FLOAT_CONSTANTS: dict[str, tuple[CType, float]] = {}
for _suffix, _float in (("", DOUBLE), ("f", FLOAT), ("l", LDOUBLE)):
    _FLOAT_CONSTANTS[f"__builtin_inf{_suffix}"] = (_float, math.inf)
    _FLOAT_CONSTANTS[f"__builtin_huge_val{_suffix}"] = (_float, math.inf)
    _FLOAT_CONSTANTS[f"__builtin_nan{_suffix}"] = (_float, math.nan)

_CLASSIFY = tuple(
    f"__builtin_{name}" for name in ("isnan", "isinf", "isfinite", "isnormal", "signbit")
)
_CLASSIFY_AS = {
    f"__builtin_{name}{suffix}": (f"__builtin_{wanted}", type_)
    for name, wanted in (("isnan", "isnan"), ("isinf", "isinf"), ("finite", "isfinite"),
                         ("signbit", "signbit"))
    for suffix, type_ in (("", DOUBLE), ("f", FLOAT), ("l", LDOUBLE))
    if name != wanted or suffix
}  # fmt: skip
"""Those for one type each."""
_ORDERED = {
    "__builtin_isgreater": ">",
    "__builtin_isgreaterequal": ">=",
    "__builtin_isless": "<",
    "__builtin_islessequal": "<=",
}
_OVERFLOW = tuple(f"__builtin_{name}_overflow" for name in ("add", "sub", "mul"))
_SPECIAL = (
    *_OVERFLOW,
    "__builtin_va_start",
    "__builtin_va_end",
    "__builtin_va_copy",
    "__builtin_constant_p",
    "__builtin_choose_expr",
    "__builtin_prefetch",
    "__builtin_object_size",
    "__builtin_isunordered",
    "__builtin_islessgreater",
    "__builtin_alloca_with_align",
)

BUILTIN_FUNCTIONS = frozenset(
    (*_FIXED, *_FLOAT_CONSTANTS, *_CLASSIFY, *_CLASSIFY_AS, *_ORDERED, *_SPECIAL)
)

VA_LIST: CType = CHAR_POINTER

_HEADERS = {
    "stdio.h": "printf fprintf sprintf snprintf vprintf vfprintf vsprintf vsnprintf puts putchar "
    "fputs fputc putc getchar getc fgetc fgets fopen fclose fread fwrite fflush fseek ftell "
    "scanf fscanf sscanf perror remove rename rewind ungetc feof ferror vsscanf fileno fdopen "
    "tmpfile tmpnam getline stdin stdout stderr EOF",
    "stdlib.h": "malloc calloc realloc free exit abort atoi atol atof strtol strtoul strtod qsort "
    "bsearch rand srand random srandom abs labs llabs atoll strtoll strtoull strtof getenv atexit "
    "posix_memalign mkstemp mkdtemp drand48 lrand48 "
    "seed48 EXIT_SUCCESS EXIT_FAILURE RAND_MAX",
    "string.h": "memcpy memmove memset memcmp memchr strlen strcpy strncpy strcat strncat strcmp "
    "strncmp strchr strrchr strstr strspn strcspn strpbrk strtok strdup strerror bcopy bzero "
    "bcmp index rindex mempcpy stpcpy strcasecmp strncasecmp strnlen strndup",
    "math.h": "sqrt fabs floor ceil fmod exp log pow sin cos tan asin acos atan atan2 sinh cosh "
    "tanh log10 log2 hypot round trunc ldexp frexp modf cbrt fmin fmax sqrtf fabsf sinf cosf "
    "powf expf logf floorf ceilf copysign copysignf fma M_PI HUGE_VAL INFINITY NAN",
    "ctype.h": "isalpha isdigit isalnum isspace isupper islower isxdigit ispunct isprint iscntrl "
    "isgraph isblank toupper tolower",
    "time.h": "time clock clock_gettime difftime CLOCKS_PER_SEC nanosleep gmtime localtime mktime "
    "timegm asctime ctime strftime",
    "unistd.h": "read write close lseek getpid unlink sleep usleep access "
    "chdir getcwd dup dup2 isatty ftruncate truncate rmdir sysconf getopt",
    "getopt.h": "getopt_long getopt_long_only",
    "sys/stat.h": "fstat lstat mkdir chmod",
    "stddef.h": "NULL offsetof",
    "stdbool.h": "true false bool",
    "limits.h": "INT_MAX INT_MIN UINT_MAX LONG_MAX LONG_MIN CHAR_BIT CHAR_MAX SHRT_MAX",
    "stdint.h": "INT32_MAX INT64_MAX UINT32_MAX UINT64_MAX UINT8_MAX SIZE_MAX INT32_MIN",
    "errno.h": "errno",
    "assert.h": "assert",
    "stdarg.h": "va_start va_arg va_end va_copy",
    "float.h": "DBL_MAX DBL_EPSILON FLT_MAX FLT_EPSILON",
    "hcc.h": "migrate_point",
    "alloca.h": "alloca",
}
_HEADER_OF = {name: header for header, names in _HEADERS.items() for name in names.split()}
_REFUSED = {
    "setjmp": "setjmp and longjmp are", "_setjmp": "setjmp and longjmp are",
    "longjmp": "setjmp and longjmp are", "sigsetjmp": "setjmp and longjmp are",
    "pthread_create": "threads are", "thrd_create": "threads are", "fork": "fork is",
}  # fmt: skip


@define(eq=False, repr=False)
class BuiltinName(Expr):
    """The name of a builtin, which can only be called."""

    name: str


class Builtins(Initializers):
    """Calls of builtins."""

    @abstractmethod
    def next_kind(self) -> str:
        """The kind of the token behind the construct at hand."""

    def library_function(self, name: str, at: int) -> Function | None:
        """A function of the standard library, declared as its header does."""
        header = _HEADER_OF.get(name)
        return self.declare_from_header(name, header, at) if header else None

    @abstractmethod
    def declare_from_header(self, name: str, header: str, at: int) -> Function | None: ...

    def header_hint(self, name: str) -> str:
        header = _HEADER_OF.get(name)
        return f"; did you forget #include <{header}>?" if header else ""

    def refused_function(self, name: str) -> str:
        return _REFUSED.get(name, "")

    def call_builtin(self, name: str, args: list[Expr], at: int) -> Expr:
        """A call of a builtin."""
        if any(arg.type.is_error for arg in args if not isinstance(arg, BuiltinName)):
            return ErrorExpr(ERROR, at)
        if name in _FIXED:
            return self._fixed(name, args, at)
        if name in _FLOAT_CONSTANTS:
            type_, value = _FLOAT_CONSTANTS[name]
            return FloatConst(type_, at, value)
        if name in _ORDERED or name in ("__builtin_isunordered", "__builtin_islessgreater"):
            return self._ordered(name, args, at)
        if name in _CLASSIFY:
            return self._classify(name, args, at)
        if name in _CLASSIFY_AS:
            wanted, type_ = _CLASSIFY_AS[name]
            use = f"passing an argument of '{name}' as"
            return self._classify(
                wanted, [self.assign_convert(a, type_, a.at, use) for a in args], at
            )
        return self._special(name, args, at)

    def _count(self, name: str, args: list[Expr], least: int, most: int, at: int) -> bool:
        if least <= len(args) <= most:
            return True
        wanted = str(least) if least == most else f"{least} to {most}"
        self.error(at, f"'{name}' takes {wanted} arguments, {len(args)} given")
        return False

    def _fixed(self, name: str, args: list[Expr], at: int) -> Expr:
        result, params = _FIXED[name]
        extra = 1 if name == "__builtin_assume_aligned" else 0
        if not self._count(name, args, len(params), len(params) + extra, at):
            return ErrorExpr(ERROR, at)
        use = f"passing an argument of '{name}' as"
        made = [self.assign_convert(a, p, a.at, use) for a, p in zip(args, params, strict=False)]
        if any(arg.type.is_error for arg in made):
            return ErrorExpr(ERROR, at)
        if name == "__builtin_expect":
            return made[0] if isinstance(made[0], IntConst) else Builtin(result, at, name, made)
        folded = _fold(name, made, result)
        if folded is not None:
            return IntConst(result, at, folded)
        return Builtin(result, at, name, made)

    def _ordered(self, name: str, args: list[Expr], at: int) -> Expr:
        if not self._count(name, args, 2, 2, at):
            return ErrorExpr(ERROR, at)
        if name in _ORDERED:
            return self.binary(_ORDERED[name], args[0], args[1], at)
        made = [
            self.assign_convert(a, DOUBLE, a.at, f"passing an argument of '{name}' as")
            for a in args
        ]
        return Builtin(INT, at, name, made)

    def _classify(self, name: str, args: list[Expr], at: int) -> Expr:
        if not self._count(name, args, 1, 1, at):
            return ErrorExpr(ERROR, at)
        arg = self.value(args[0])
        if not arg.type.is_floating:
            if not arg.type.is_arithmetic:
                self.error(arg.at, f"'{name}' wants a floating-point number")
                return ErrorExpr(ERROR, at)
            arg = self.convert(arg, DOUBLE)
        if arg.type.unqual is not FLOAT:
            arg = self.convert(arg, DOUBLE)
        return Builtin(INT, at, name, [arg])

    def _special(self, name: str, args: list[Expr], at: int) -> Expr:
        match name:
            case "__builtin_va_start":
                return self._va_start(args, at)
            case "__builtin_va_end":
                if self._count(name, args, 1, 1, at) and self.check_va_list(args[0], "va_end"):
                    return Builtin(VOID_TYPE, at, name, [args[0]])
            case "__builtin_va_copy":
                if self._count(name, args, 2, 2, at) and self.check_va_list(args[0], "va_copy"):
                    return self.cast(self.assigned(args[0], args[1], at), VOID_TYPE, at)
            case "__builtin_constant_p":
                if self._count(name, args, 1, 1, at):
                    return IntConst(INT, at, int(_is_constant(args[0])))
            case "__builtin_choose_expr":
                if self._count(name, args, 3, 3, at):
                    known = truth(args[0])
                    if known is not None:
                        return args[1] if known else args[2]
                    self.error(args[0].at, f"the first argument of '{name}' is not constant")
            case "__builtin_prefetch":
                if self._count(name, args, 1, 3, at):
                    return self.cast(args[0], VOID_TYPE, at)
            case "__builtin_object_size":
                if self._count(name, args, 2, 2, at):
                    unknown = isinstance(args[1], IntConst) and args[1].value & 2
                    return IntConst(ULONG, at, 0 if unknown else ULONG.high)
            case _ if name in _OVERFLOW:
                if self._count(name, args, 3, 3, at):
                    return self._overflow(name, [self.value(arg) for arg in args], at)
            case "__builtin_alloca_with_align":
                if self._count(name, args, 2, 2, at):
                    return self._fixed("__builtin_alloca", args[:1], at)
        return ErrorExpr(ERROR, at)

    def _overflow(self, name: str, args: list[Expr], at: int) -> Expr:
        for arg in args[:2]:
            if not arg.type.is_integer:
                self.error(arg.at, f"'{name}' wants an integer ('{arg.type}')")
                return ErrorExpr(ERROR, at)
        pointer = args[2].type.unqual
        target = pointer.target if isinstance(pointer, PointerType) else None
        if not isinstance(target, IntegerType) or target.is_bool or target.quals & CONST:
            self.error(args[2].at, f"'{name}' wants a pointer to an integer ('{args[2].type}')")
            return ErrorExpr(ERROR, at)
        return Builtin(BOOL, at, name, args)

    def _va_start(self, args: list[Expr], at: int) -> Expr:
        if not self._count("va_start", args, 1, 2, at) or not self.check_va_list(
            args[0], "va_start"
        ):
            return ErrorExpr(ERROR, at)
        function = self.function
        if function is None or not function.type.variadic:
            self.error(at, "va_start in a function with a fixed number of parameters")
            return ErrorExpr(ERROR, at)
        return Builtin(VOID_TYPE, at, "__builtin_va_start", [args[0]])

    def check_va_list(self, list_: Expr, use: str) -> bool:
        """Whether an expression is a va_list object; complains if not."""
        if list_.type.is_error:
            return False
        if list_.type.unqual is not VA_LIST or not is_lvalue(list_):
            self.error(list_.at, f"the first argument of {use} must be a va_list ('{list_.type}')")
            return False
        return True


def _is_constant(expr: Expr) -> bool:
    if isinstance(expr, AddressOf):
        return isinstance(expr.operand, StringConst)
    return isinstance(expr, (IntConst, FloatConst, StringConst))


def _fold(name: str, args: list[Expr], result: CType) -> int | None:
    """The value of a bit builtin of a constant."""
    if not args or not isinstance(args[0], IntConst) or name == "__builtin_alloca":
        return None
    size = args[0].type.size
    value = args[0].value & (1 << size * 8) - 1
    base = name.removeprefix("__builtin_").rstrip("l") if "bswap" not in name else "bswap"
    match base:
        case "clz" | "ctz" if value == 0:
            return size * 8
        case "clz":
            return size * 8 - value.bit_length()
        case "ctz":
            return (value & -value).bit_length() - 1
        case "popcount":
            return value.bit_count()
        case "parity":
            return value.bit_count() & 1
        case "ffs":
            return (value & -value).bit_length()
        case "bswap":
            return int.from_bytes(value.to_bytes(size, "little"), "big")
    return None
