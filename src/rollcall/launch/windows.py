"""What only Windows' own calls can do: end with us whatever we start, and name a port's owner.

Nothing here raises: where a call fails (an outer job may forbid it), less is done or known.
"""

from __future__ import annotations

import sys
from pathlib import PureWindowsPath
from typing import Any

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _KILL_ON_JOB_CLOSE = 0x2000
    _NO_CHILDREN = 0x1000  # JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK
    _EXTENDED_LIMITS = 9
    _QUERY_LIMITED_INFORMATION = 0x1000
    _IPV4, _IPV6 = 2, 23
    _OWNERS_OF_LISTENERS = 3

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("per_process_user_time", ctypes.c_int64),
            ("per_job_user_time", ctypes.c_int64),
            ("flags", wintypes.DWORD),
            ("least_working_set", ctypes.c_size_t),
            ("most_working_set", ctypes.c_size_t),
            ("active_processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("priority_class", wintypes.DWORD),
            ("scheduling_class", wintypes.DWORD),
        )

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = (
            ("basic", _BasicLimits),
            ("io_counters", ctypes.c_uint64 * 6),
            ("memory", ctypes.c_size_t * 4),
        )

    class _Listener4(ctypes.Structure):
        _fields_ = tuple(
            (name, wintypes.DWORD)
            for name in ("state", "address", "port", "far_address", "far_port", "owner")
        )

    class _Listener6(ctypes.Structure):
        _fields_ = (
            ("address", ctypes.c_ubyte * 16),
            ("scope", wintypes.DWORD),
            ("port", wintypes.DWORD),
            ("far_address", ctypes.c_ubyte * 16),
            ("far_scope", wintypes.DWORD),
            ("far_port", wintypes.DWORD),
            ("state", wintypes.DWORD),
            ("owner", wintypes.DWORD),
        )

    _KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
    for _call in ("CreateJobObjectW", "GetCurrentProcess", "OpenProcess"):
        getattr(_KERNEL, _call).restype = wintypes.HANDLE

    _jobs: list[Any] = []
    """Handles that stay open to our last breath: the system closes them then, and ends the job."""

    def end_together() -> bool:
        """Have whatever this process starts from now on end with it, also where it is killed."""
        if _jobs:
            return True
        job = _KERNEL.CreateJobObjectW(None, None)
        if not job:
            return False
        handle = wintypes.HANDLE(job)
        if not _limit(handle, _KILL_ON_JOB_CLOSE):
            return False
        _jobs.append(handle)
        this = wintypes.HANDLE(_KERNEL.GetCurrentProcess())
        return bool(_KERNEL.AssignProcessToJobObject(handle, this))

    def end_apart() -> None:
        """Have whatever this process starts from now on, and what still runs, outlive it again."""
        while _jobs:
            _limit(_jobs.pop(), _NO_CHILDREN)

    def _limit(job: wintypes.HANDLE, flags: int) -> bool:
        limits = _ExtendedLimits()
        limits.basic.flags = flags
        size = ctypes.sizeof(limits)
        return bool(
            _KERNEL.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), size)
        )

    def listener(port: int) -> str | None:
        """The program that listens on a port, with its process number; None where none does."""
        for family, row in ((_IPV4, _Listener4), (_IPV6, _Listener6)):
            for entry in _listeners(family, row):
                number = entry.port & 0xFFFF
                if (number >> 8 | (number & 0xFF) << 8) == port:
                    return f"{_program(entry.owner)} (process {entry.owner})"
        return None

    def _listeners(family: int, row: Any) -> list[Any]:
        try:
            table = ctypes.WinDLL("iphlpapi").GetExtendedTcpTable
            size = wintypes.DWORD(0)
            given = (ctypes.byref(size), 0, family, _OWNERS_OF_LISTENERS, 0)
            table(None, *given)
            buffer = ctypes.create_string_buffer(size.value + 4096)
            size.value = len(buffer)
            if table(buffer, *given):
                return []
        except (OSError, AttributeError):
            return []
        count = wintypes.DWORD.from_buffer(buffer).value
        return list((row * count).from_buffer(buffer, ctypes.sizeof(wintypes.DWORD)))

    def _program(number: int) -> str:
        process = wintypes.HANDLE(_KERNEL.OpenProcess(_QUERY_LIMITED_INFORMATION, 0, number))
        name = ctypes.create_unicode_buffer(32768)
        size = wintypes.DWORD(len(name))
        known = _KERNEL.QueryFullProcessImageNameW(process, 0, name, ctypes.byref(size))
        _KERNEL.CloseHandle(process)
        return PureWindowsPath(name.value).name if known and name.value else "another program"

else:

    def end_together() -> bool:
        """Elsewhere we become the command, and have nobody to outlive us."""
        return False

    def end_apart() -> None:
        """As it is elsewhere."""
