"""What is Windows' own about files: who has one open, its access list and its attributes.

A rename would take these two from config.yaml, so they are given to the file that replaces it.
ReplaceFileW would keep them, too, but moves the old file away
before it moves the new one in: for a moment there is none, and a kill in that moment leaves none.
https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-replacefilew
"""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    from ctypes import POINTER, byref, c_void_p, wintypes

    _FILE, _ACCESS_LIST = 1, 4
    _PROTECTED, _UNPROTECTED, _IS_PROTECTED = 0x80000000, 0x20000000, 0x1000
    _KEPT = 0x02 | 0x04 | 0x20 | 0x2000
    """Hidden, system, archive, not indexed."""
    _NO_ATTRIBUTES = 0xFFFFFFFF

    _advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _get = _advapi.GetNamedSecurityInfoW
    _get.argtypes = [wintypes.LPCWSTR, ctypes.c_int, wintypes.DWORD, *[POINTER(c_void_p)] * 5]
    _get.restype = wintypes.DWORD
    _set = _advapi.SetNamedSecurityInfoW
    _set.argtypes = [wintypes.LPCWSTR, ctypes.c_int, wintypes.DWORD, *[c_void_p] * 4]
    _set.restype = wintypes.DWORD
    _control_of = _advapi.GetSecurityDescriptorControl
    _control_of.argtypes = [c_void_p, POINTER(wintypes.WORD), POINTER(wintypes.DWORD)]
    _READ, _WRITE, _SHARED_FOR_ALL, _EXISTING = 0x80000000, 0x40000000, 7, 3
    _INVALID = c_void_p(-1).value
    _kernel.CreateFileW.argtypes = [
        wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, c_void_p, wintypes.DWORD, wintypes.DWORD,
        c_void_p,
    ]  # fmt: skip
    _kernel.CreateFileW.restype = c_void_p
    _kernel.CloseHandle.argtypes = [c_void_p]
    _kernel.LocalFree.argtypes = [c_void_p]
    _kernel.GetFileAttributesW.argtypes = [wintypes.LPCWSTR]
    _kernel.GetFileAttributesW.restype = wintypes.DWORD
    _kernel.SetFileAttributesW.argtypes = [wintypes.LPCWSTR, wintypes.DWORD]

    def copy_access(source: Path, target: Path) -> None:
        """Let the same people at `target` as at `source`; nothing to do where there are no lists.

        Raises:
            OSError: they are not ours to set.
        """
        descriptor, access_list = c_void_p(), c_void_p()
        if _get(
            str(source), _FILE, _ACCESS_LIST, None, None, byref(access_list), None,
            byref(descriptor),
        ):  # fmt: skip
            return  # a file system that knows none
        try:
            control, revision = wintypes.WORD(), wintypes.DWORD()
            _control_of(descriptor, byref(control), byref(revision))
            kind = _PROTECTED if control.value & _IS_PROTECTED else _UNPROTECTED
            failed = _set(str(target), _FILE, _ACCESS_LIST | kind, None, None, access_list, None)
        finally:
            _kernel.LocalFree(descriptor)
        if failed:
            raise ctypes.WinError(failed)

    def is_held(path: str) -> bool:
        """Whether a program has the file open and does not share it for reading, or for writing.

        Python's `open` and `os.open` say "permission denied" for that and for a file that is not
        ours, and nothing that tells them apart.
        """
        for access in (_READ, _READ | _WRITE):
            handle = _kernel.CreateFileW(path, access, _SHARED_FOR_ALL, None, _EXISTING, 0, None)
            if handle == _INVALID:
                return ctypes.get_last_error() in (32, 33)
            _kernel.CloseHandle(handle)
        return False

    def copy_attributes(source: Path, target: Path) -> None:
        """Hidden stays hidden, and so on; what cannot be set is left."""
        found = _kernel.GetFileAttributesW(str(source))
        if found != _NO_ATTRIBUTES and found & _KEPT:
            _kernel.SetFileAttributesW(str(target), found & _KEPT)
