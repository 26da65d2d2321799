"""What the reading process gives up before it looks at a file: memory, time, files, sockets, and outliving its parent.

The limits hold on every POSIX system. Where the kernel filters calls (Linux on x86-64), it refuses all but the few
that parsing and printing need, so that not even a parser that was taken over opens a file or reaches the network.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys

MEMORY_BYTES = 1024 * 1024 * 1024
PROCESSOR_SECONDS = 60
_PARENT_DEATH_SIGNAL, _NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 1, 38, 22, 2
_LOAD, _EQUALS, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # refused calls fail with EPERM
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_X86_64, _FIRST_OF_X32 = 0xC000003E, 0x40000000
# read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 readv writev
# sched_yield mremap madvise getpid exit gettimeofday getrusage sysinfo gettid futex sched_getaffinity restart_syscall
# clock_gettime clock_getres exit_group newfstatat getrandom membarrier rseq
_NEEDED = (0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 24, 25, 28, 39, 60, 96, 98, 99, 186, 202, 204, 219,
           228, 229, 231, 262, 318, 324, 334)


def limit() -> None:
    """Give up memory, processor time, writing to files, and core dumps."""
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
                       (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (most, most))


def die_with(parent: int) -> None:
    """Have the kernel end this process when `parent`, which started it, ends in whatever way."""
    if sys.platform == "linux":
        _control(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def close_in() -> None:
    """Give up opening anything and starting processes; nothing can be imported after that."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if sys.platform == "linux" and platform.machine() == "x86_64":
        _filter_calls()


def _filter_calls() -> None:
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    count = len(_NEEDED)
    steps = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUALS, 1, 0, _X86_64), (_RETURN, 0, 0, _KILL),
             (_LOAD, 0, 0, _NUMBER_AT), (_AT_LEAST, count, 0, _FIRST_OF_X32)]
    steps += [(_EQUALS, count - index, 0, number) for index, number in enumerate(_NEEDED)]
    steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = Program(len(steps), ctypes.addressof(packed))
    _control(_NO_NEW_PRIVILEGES, 1)
    # A kernel built without filters, or a container that forbids them, leaves the limits above.
    _control(_SECCOMP, _FILTER, ctypes.addressof(program))


def _control(option: int, first: int, second: int = 0) -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_ulong(value) for value in (first, second, 0, 0))
    return bool(library.prctl(ctypes.c_int(option), *arguments) == 0)
