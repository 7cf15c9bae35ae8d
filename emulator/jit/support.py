"""Compiled code's own runtime, written as LLVM IR like the code itself.

* `hcc_enter(state, pc)` runs compiled code from a guest address until it leaves or comes to an
  address that is not compiled, which it returns. It is where faults land.
* `hcc_stub` stands in the function table for what is not compiled, `hcc_syscall` is called for
  system calls, `hcc_hot` by quick code that has run often: all three call back into Python, but for
  system calls that are to be passed, which are counted here.
* `hcc_uncommon(state, pc)` tells where to go on from optimised code in what it left out; it counts
  how often that is (see `uncommon`).
* `hcc_leave` is code for any address that leaves at once.
* `hcc_wild(state, pc, address, access)` is called for an address beyond guest memory.
* `hcc_fault` is the handler for SIGSEGV and SIGBUS: a fault of compiled code in guest memory
  becomes a return of `hcc_enter`; any other goes to the handler that was there before.
* `hcc_interrupt` is the handler of the signal that stops a guest which never leaves.

Handlers leave by the C library's longjmp. That is safe as compiled code calls nothing that could
be left half done; while Python runs, `RUNNING` is 0 and the handlers keep their hands off. They
find the state by thread: the states of all CPUs are listed in `hcc_data`.

Division of 128 by 128 bits is here too, since LLVM makes calls of it. Little of all this runs
often, so it is not optimised.
"""

from __future__ import annotations

import ctypes
import signal
from functools import cache
from threading import Lock

from attrs import frozen

from hcc.emulator.jit import layout
from hcc.emulator.jit.arena import Arena
from hcc.emulator.jit.objects import Image
from hcc.isa.errors import UnsupportedError

STATES = 1000
"""How many CPUs there may be at a time."""
_ARENA_START, _ARENA_END, _OLD_SEGV, _OLD_BUS, _FIRST = 0, 1, 2, 3, 4

_EXIT = 8
"""How many passes of quick code an exit from optimised code counts as: about what it costs."""

INTERRUPT_SIGNAL = signal.SIGURG

# Offsets in the x86-64 Linux signal frame: siginfo.si_addr, ucontext.gregs, gregs[REG_RIP].
_SI_ADDR, _GREGS, _RIP = 16, 40, 168

_TEXT = """
target triple = "x86_64-unknown-linux-gnu"
@hcc_data = external hidden global [{words} x i64]
declare i32 @_setjmp(ptr) returns_twice
declare void @longjmp(ptr, i32) noreturn
declare ptr @signal(i32, ptr)
declare ptr @llvm.thread.pointer.p0()
declare i64 @llvm.fshr.i64(i64, i64, i64)
declare i64 @llvm.read_register.i64(metadata)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
!0 = !{{!"rsp"}}

define i64 @hcc_enter(ptr %s, i64 %pc) nounwind {{
  %buffer = alloca [512 x i8], align 16
  %slot = getelementptr i8, ptr %s, i64 {JUMP_BUFFER}
  %old = load ptr, ptr %slot
  store ptr %buffer, ptr %slot
  %runp = getelementptr i8, ptr %s, i64 {RUNNING}
  %threadp = getelementptr i8, ptr %s, i64 {THREAD}
  %thread = call ptr @llvm.thread.pointer.p0()
  store ptr %thread, ptr %threadp
  %again = call i32 @_setjmp(ptr %buffer) returns_twice
  %first = icmp eq i32 %again, 0
  br i1 %first, label %begin, label %out
begin:
  store volatile i64 1, ptr %runp
  %basep = getelementptr i8, ptr %s, i64 {BASE}
  %base = load i64, ptr %basep
  %entriesp = getelementptr i8, ptr %s, i64 {ENTRIES}
  %entries = load i64, ptr %entriesp
  %shiftp = getelementptr i8, ptr %s, i64 {SHIFT}
  %shift = load i64, ptr %shiftp
  %tablep = getelementptr i8, ptr %s, i64 {TABLE}
  %table = load ptr, ptr %tablep
  br label %next
next:
  %at = phi i64 [ %pc, %begin ], [ %went, %run ]
  %offset = sub i64 %at, %base
  %index = call i64 @llvm.fshr.i64(i64 %offset, i64 %offset, i64 %shift)
  %inside = icmp ult i64 %index, %entries
  br i1 %inside, label %look, label %out
look:
  %entry = getelementptr ptr, ptr %table, i64 %index
  %function = load ptr, ptr %entry
  %missing = icmp eq ptr %function, @hcc_stub
  br i1 %missing, label %out, label %run
run:
  %went = call i64 %function(ptr %s, i64 %at)
  br label %next
out:
  %result = phi i64 [ -1, %0 ], [ %at, %next ], [ %at, %look ]
  store volatile i64 0, ptr %runp
  store ptr %old, ptr %slot
  ret i64 %result
}}

define hidden i64 @hcc_stub(ptr %s, i64 %pc) nounwind {{
  %where = getelementptr i8, ptr %s, i64 {ON_STUB}
  %result = call i64 @call_python(ptr %s, i64 %pc, ptr %where)
  %againp = getelementptr i8, ptr %s, i64 {AGAIN}
  %code = load ptr, ptr %againp
  %done = icmp eq ptr %code, null
  br i1 %done, label %out, label %again
again:
  store ptr null, ptr %againp
  %onward = musttail call i64 %code(ptr %s, i64 %pc)
  ret i64 %onward
out:
  ret i64 %result
}}

define i64 @hcc_hot(ptr %s, i64 %pc) nounwind {{
  %where = getelementptr i8, ptr %s, i64 {ON_HOT}
  %result = call i64 @call_python(ptr %s, i64 %pc, ptr %where)
  ret i64 %result
}}

define i64 @hcc_uncommon(ptr %s, i64 %pc) nounwind {{
  %basep = getelementptr i8, ptr %s, i64 {BASE}
  %base = load i64, ptr %basep
  %shiftp = getelementptr i8, ptr %s, i64 {SHIFT}
  %shift = load i64, ptr %shiftp
  %offset = sub i64 %pc, %base
  %index = lshr i64 %offset, %shift
  %countersp = getelementptr i8, ptr %s, i64 {COUNTERS}
  %counters = load ptr, ptr %countersp
  %counter = getelementptr i32, ptr %counters, i64 %index
  %left = load i32, ptr %counter
  %less = sub i32 %left, {EXIT}
  store i32 %less, ptr %counter
  %hot = icmp slt i32 %less, 0
  br i1 %hot, label %ask, label %look
ask:
  %told = call i64 @hcc_hot(ptr %s, i64 %pc)
  ret i64 %told
look:
  %tablep = getelementptr i8, ptr %s, i64 {TABLE}
  %table = load ptr, ptr %tablep
  %entry = getelementptr ptr, ptr %table, i64 %index
  %code = load i64, ptr %entry
  ret i64 %code
}}

define i64 @hcc_leave(ptr %s, i64 %pc) nounwind {{
  ret i64 {LEAVE}
}}

define i64 @hcc_syscall(ptr %s, i64 %pc) nounwind {{
  %passingp = getelementptr i8, ptr %s, i64 {PASSING}
  %passing = load i64, ptr %passingp
  %none = icmp eq i64 %passing, 0
  br i1 %none, label %ask, label %look
look:
  %atp = getelementptr i8, ptr %s, i64 {NUMBER_AT}
  %at = load i64, ptr %atp
  %numberp = getelementptr i8, ptr %s, i64 %at
  %number = load i64, ptr %numberp
  %whichp = getelementptr i8, ptr %s, i64 {PASSING_NUMBER}
  %which = load i64, ptr %whichp
  %same = icmp eq i64 %number, %which
  br i1 %same, label %pass, label %ask
pass:
  %less = sub i64 %passing, 1
  store i64 %less, ptr %passingp
  ret i64 %pc
ask:
  %where = getelementptr i8, ptr %s, i64 {ON_SYSCALL}
  %result = call i64 @call_python(ptr %s, i64 %pc, ptr %where)
  ret i64 %result
}}

define internal i64 @call_python(ptr %s, i64 %pc, ptr %where) nounwind noinline {{
  %runp = getelementptr i8, ptr %s, i64 {RUNNING}
  store volatile i64 0, ptr %runp
  %sp = call i64 @llvm.read_register.i64(metadata !0)
  %spp = getelementptr i8, ptr %s, i64 {STACK_POINTER}
  store i64 %sp, ptr %spp
  %function = load ptr, ptr %where
  %result = call i64 %function(ptr %s, i64 %pc)
  store volatile i64 1, ptr %runp
  ret i64 %result
}}

define internal void @leave(ptr %s, i64 %reason) noreturn nounwind noinline {{
  %runp = getelementptr i8, ptr %s, i64 {RUNNING}
  store volatile i64 0, ptr %runp
  %reasonp = getelementptr i8, ptr %s, i64 {REASON}
  store i64 %reason, ptr %reasonp
  %slot = getelementptr i8, ptr %s, i64 {JUMP_BUFFER}
  %buffer = load ptr, ptr %slot
  call void @longjmp(ptr %buffer, i32 1)
  unreachable
}}

define void @hcc_wild(ptr %s, i64 %pc, i64 %addr, i64 %access) noreturn nounwind {{
  %where = getelementptr i8, ptr %s, i64 {WHERE}
  store i64 %pc, ptr %where
  %detail = getelementptr i8, ptr %s, i64 {DETAIL}
  store i64 %addr, ptr %detail
  %kind = getelementptr i8, ptr %s, i64 {FAULT_ADDR}
  store i64 %access, ptr %kind
  call void @leave(ptr %s, i64 {REASON_WILD})
  unreachable
}}

define internal ptr @running_state(i64 %rip) nounwind noinline {{
  %startp = getelementptr i64, ptr @hcc_data, i64 {ARENA_START}
  %start = load i64, ptr %startp
  %endp = getelementptr i64, ptr @hcc_data, i64 {ARENA_END}
  %end = load i64, ptr %endp
  %above = icmp uge i64 %rip, %start
  %below = icmp ult i64 %rip, %end
  %ours = and i1 %above, %below
  br i1 %ours, label %search, label %none
search:
  %thread = call ptr @llvm.thread.pointer.p0()
  br label %loop
loop:
  %i = phi i64 [ {FIRST}, %search ], [ %j, %on ]
  %slot = getelementptr i64, ptr @hcc_data, i64 %i
  %s = load volatile ptr, ptr %slot
  %empty = icmp eq ptr %s, null
  br i1 %empty, label %on, label %look
look:
  %threadp = getelementptr i8, ptr %s, i64 {THREAD}
  %other = load volatile ptr, ptr %threadp
  %mine = icmp eq ptr %other, %thread
  %runp = getelementptr i8, ptr %s, i64 {RUNNING}
  %run = load volatile i64, ptr %runp
  %on_it = icmp ne i64 %run, 0
  %found = and i1 %mine, %on_it
  br i1 %found, label %yes, label %on
on:
  %j = add i64 %i, 1
  %more = icmp ult i64 %j, {words}
  br i1 %more, label %loop, label %none
yes:
  ret ptr %s
none:
  ret ptr null
}}

define void @hcc_fault(i32 %signal, ptr %info, ptr %context) nounwind {{
  %ripp = getelementptr i8, ptr %context, i64 {RIP}
  %rip = load i64, ptr %ripp
  %addrp = getelementptr i8, ptr %info, i64 {SI_ADDR}
  %addr = load i64, ptr %addrp
  %s = call ptr @running_state(i64 %rip)
  %none = icmp eq ptr %s, null
  br i1 %none, label %others, label %look
look:
  %startp = getelementptr i8, ptr %s, i64 {GUARD_START}
  %start = load i64, ptr %startp
  %endp = getelementptr i8, ptr %s, i64 {GUARD_END}
  %end = load i64, ptr %endp
  %above = icmp uge i64 %addr, %start
  %below = icmp ult i64 %addr, %end
  %guest = and i1 %above, %below
  br i1 %guest, label %leave, label %others
leave:
  %faultp = getelementptr i8, ptr %s, i64 {FAULT_ADDR}
  store i64 %addr, ptr %faultp
  %pcp = getelementptr i8, ptr %s, i64 {FAULT_PC}
  store i64 %rip, ptr %pcp
  %registers = getelementptr i8, ptr %s, i64 {HOST_REGISTERS}
  %saved = getelementptr i8, ptr %context, i64 {GREGS}
  call void @llvm.memcpy.p0.p0.i64(ptr %registers, ptr %saved, i64 128, i1 false)
  call void @leave(ptr %s, i64 {REASON_FAULT})
  unreachable
others:
  %bus = icmp eq i32 %signal, 7
  %which = select i1 %bus, i64 {OLD_BUS}, i64 {OLD_SEGV}
  %oldp = getelementptr i64, ptr @hcc_data, i64 %which
  %old = load ptr, ptr %oldp
  %oldnumber = ptrtoint ptr %old to i64
  %default = icmp ult i64 %oldnumber, 2
  br i1 %default, label %die, label %chain
die:
  call ptr @signal(i32 %signal, ptr null)
  ret void
chain:
  call void %old(i32 %signal, ptr %info, ptr %context)
  ret void
}}

define void @hcc_interrupt(i32 %signal, ptr %info, ptr %context) nounwind {{
  %ripp = getelementptr i8, ptr %context, i64 {RIP}
  %rip = load i64, ptr %ripp
  %s = call ptr @running_state(i64 %rip)
  %none = icmp eq ptr %s, null
  br i1 %none, label %out, label %leave
leave:
  %pcp = getelementptr i8, ptr %s, i64 {FAULT_PC}
  store i64 %rip, ptr %pcp
  call void @leave(ptr %s, i64 {REASON_INTERRUPT})
  unreachable
out:
  ret void
}}

define internal {{ i128, i128 }} @divide(i128 %a, i128 %b) nounwind noinline {{
  %bits = or i128 %a, %b
  %narrow = icmp ult i128 %bits, {WORD}
  br i1 %narrow, label %short, label %long
short:
  %a64 = trunc i128 %a to i64
  %b64 = trunc i128 %b to i64
  %q64 = udiv i64 %a64, %b64
  %r64 = urem i64 %a64, %b64
  %q128 = zext i64 %q64 to i128
  %r128 = zext i64 %r64 to i128
  %s0 = insertvalue {{ i128, i128 }} poison, i128 %q128, 0
  %s1 = insertvalue {{ i128, i128 }} %s0, i128 %r128, 1
  ret {{ i128, i128 }} %s1
long:
  br label %loop
loop:
  %i = phi i32 [ 128, %long ], [ %j, %loop ]
  %rest = phi i128 [ 0, %long ], [ %rest2, %loop ]
  %quotient = phi i128 [ 0, %long ], [ %quotient2, %loop ]
  %left = phi i128 [ %a, %long ], [ %left2, %loop ]
  %top = lshr i128 %left, 127
  %left2 = shl i128 %left, 1
  %shifted = shl i128 %rest, 1
  %next = or i128 %shifted, %top
  %carried = icmp slt i128 %rest, 0
  %enough = icmp uge i128 %next, %b
  %take = or i1 %carried, %enough
  %less = sub i128 %next, %b
  %rest2 = select i1 %take, i128 %less, i128 %next
  %bit = zext i1 %take to i128
  %doubled = shl i128 %quotient, 1
  %quotient2 = or i128 %doubled, %bit
  %j = sub i32 %i, 1
  %more = icmp ne i32 %j, 0
  br i1 %more, label %loop, label %done
done:
  %r0 = insertvalue {{ i128, i128 }} poison, i128 %quotient2, 0
  %r1 = insertvalue {{ i128, i128 }} %r0, i128 %rest2, 1
  ret {{ i128, i128 }} %r1
}}

define i128 @__udivti3(i128 %a, i128 %b) nounwind {{
  %both = call {{ i128, i128 }} @divide(i128 %a, i128 %b)
  %q = extractvalue {{ i128, i128 }} %both, 0
  ret i128 %q
}}

define i128 @__umodti3(i128 %a, i128 %b) nounwind {{
  %both = call {{ i128, i128 }} @divide(i128 %a, i128 %b)
  %r = extractvalue {{ i128, i128 }} %both, 1
  ret i128 %r
}}

define internal i128 @magnitude(i128 %a) nounwind {{
  %negative = icmp slt i128 %a, 0
  %opposite = sub i128 0, %a
  %size = select i1 %negative, i128 %opposite, i128 %a
  ret i128 %size
}}

define i128 @__divti3(i128 %a, i128 %b) nounwind {{
  %p = call i128 @magnitude(i128 %a)
  %q = call i128 @magnitude(i128 %b)
  %size = call i128 @__udivti3(i128 %p, i128 %q)
  %signs = xor i128 %a, %b
  %negative = icmp slt i128 %signs, 0
  %opposite = sub i128 0, %size
  %result = select i1 %negative, i128 %opposite, i128 %size
  ret i128 %result
}}

define i128 @__modti3(i128 %a, i128 %b) nounwind {{
  %p = call i128 @magnitude(i128 %a)
  %q = call i128 @magnitude(i128 %b)
  %size = call i128 @__umodti3(i128 %p, i128 %q)
  %negative = icmp slt i128 %a, 0
  %opposite = sub i128 0, %size
  %result = select i1 %negative, i128 %opposite, i128 %size
  ret i128 %result
}}
"""


def support_text() -> str:
    """The support module as LLVM IR."""
    offsets = {name: value for name, value in vars(layout).items() if isinstance(value, int)}
    return _TEXT.format(
        **offsets,
        words=_FIRST + STATES,
        WORD=1 << 64,
        FIRST=_FIRST,
        EXIT=_EXIT,
        ARENA_START=_ARENA_START,
        ARENA_END=_ARENA_END,
        OLD_SEGV=_OLD_SEGV,
        OLD_BUS=_OLD_BUS,
        SI_ADDR=_SI_ADDR,
        GREGS=_GREGS,
        RIP=_RIP,
    )


class _Sigaction(ctypes.Structure):
    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_uint8 * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


_SA_SIGINFO, _SA_NODEFER, _SA_RESTART = 4, 0x4000_0000, 0x1000_0000
_libc = ctypes.CDLL(None, use_errno=True)

Entry = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64)
"""The type of `hcc_enter`, of regions and of the callbacks."""


@frozen(eq=False)
class Support:
    """The support module in memory, with the signal handlers installed; one for each process."""

    arena: Arena
    enter: object
    stub: int
    leave: int
    _data: object
    _lock: Lock

    def register(self, state: int) -> int:
        """List a CPU's state, so that its faults are known as the guest's; returns its slot."""
        with self._lock:
            for slot in range(_FIRST, _FIRST + STATES):
                if not self._data[slot]:  # type: ignore[index]
                    self._data[slot] = state  # type: ignore[index]
                    return slot
        raise UnsupportedError(f"more than {STATES} CPUs run compiled code at a time")

    def forget(self, slot: int) -> None:
        self._data[slot] = 0  # type: ignore[index]


def install(image: Image) -> Support:
    """Put the support module into memory and take the signals."""
    arena = Arena()
    words = _FIRST + STATES
    address = arena.reserve_data(8 * words)
    data = (ctypes.c_uint64 * words).from_address(address)
    data[_ARENA_START], data[_ARENA_END] = arena.start, arena.end
    arena.names["hcc_data"] = address
    at = arena.place(image)
    names = {name: at + offset for name, offset in image.symbols.items() if name}
    arena.names |= names
    for number, slot in ((signal.SIGSEGV, _OLD_SEGV), (signal.SIGBUS, _OLD_BUS)):
        data[slot] = _set_handler(number, names["hcc_fault"])
    _set_handler(INTERRUPT_SIGNAL, names["hcc_interrupt"])
    enter = Entry(names["hcc_enter"])
    return Support(arena, enter, names["hcc_stub"], names["hcc_leave"], data, Lock())


def _set_handler(number: int, address: int) -> int:
    """Install a handler; returns the one before it."""
    new, old = _Sigaction(), _Sigaction()
    new.handler = address
    new.flags = _SA_SIGINFO | _SA_NODEFER | _SA_RESTART
    if _libc.sigaction(int(number), ctypes.byref(new), ctypes.byref(old)):
        raise UnsupportedError(f"signal {number} cannot be handled: errno {ctypes.get_errno()}")
    return old.handler or 0


@cache
def host_is_supported() -> bool:
    """Whether compiled code can run here: its support knows the signal frame of x86-64 Linux."""
    import platform
    import sys

    return sys.platform == "linux" and platform.machine() == "x86_64"
