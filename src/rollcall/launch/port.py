"""Says before litellm starts that the port it will ask for is taken, and by what.

LiteLLM that finds its default port taken binds a random one and says so in one line of its log:
every client goes on talking to whatever holds the old one, with the old config.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from errno import EADDRINUSE
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.launch.run import serving_at
from rollcall.settings import PROXY_PORT, given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollcall.settings import Given

_LISTENING: Final = "0A"


class PortTaken(NamedTuple):
    """A port that is taken. owner: the program and its process number; "" = not known. named_by:
    the variable that names the port, and its place in `.env`; "" where none does.
    """

    port: int
    owner: str
    named_by: str = ""

    @property
    def what(self) -> str:
        """One sentence for people."""
        by = f" by {self.owner}" if self.owner else ""
        named = f" (from {self.named_by})" if self.named_by else ""
        return f"Port {self.port}{named}, which litellm will ask for, is taken{by}."

    @property
    def fix(self) -> str:
        """What comes of it and what to do."""
        if self.port == PROXY_PORT:
            outcome = "LiteLLM moves to a random port, and clients stay with what answers here"
        else:
            outcome = "LiteLLM will not start there"
        return f"{outcome}: stop that program, or give litellm another --port."


def port_taken(args: Sequence[str], environ: Mapping[str, str]) -> PortTaken | None:
    """The port that litellm asks for with these arguments, if somebody listens on it already.

    Raises:
        SettingsError: HOST or PORT, which litellm reads, is none: it would end over it.
    """
    host, named = _instead_of("--host", args, environ), _instead_of("--port", args, environ)
    if host and not re.fullmatch(r"[\w.:%-]+", host.value):
        raise host.error("it is no address to listen on", "Write one such as 0.0.0.0, no port.")
    if named and not (named.value.isdecimal() and int(named.value) < 1 << 16):
        raise named.error("it is no port", "Write a number up to 65535, 4000 for example.")
    port = serving_at(args, environ)[1]
    owner = _owner(port)
    return None if owner is None else PortTaken(port, owner, named.said if named else "")


def _instead_of(option: str, args: Sequence[str], environ: Mapping[str, str]) -> Given | None:
    """The variable that litellm takes for an option that is not among its arguments."""
    if any(arg.partition("=")[0] == option for arg in args):
        return None
    return given(environ, option.removeprefix("--").upper())


def _owner(port: int) -> str | None:
    """Who listens on a port, "" where only that somebody does is known; None = nobody."""
    if sys.platform == "win32":
        from rollcall.launch import windows

        return windows.listener(port)
    inodes = _listening(port)
    if inodes is not None:
        return _program_with(inodes) if inodes else None
    hosts = ("127.0.0.1", "0.0.0.0")  # noqa: S104 - a server on either one is in the way
    return "" if any(_cannot_bind(host, port) for host in hosts) else None


def _listening(port: int) -> list[str] | None:
    """The inodes of the sockets that listen on a port, from Linux's /proc; None without one."""
    found, known = [], False
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            lines = Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]
            known = True
            rows = [fields for line in lines if (fields := line.split())[3] == _LISTENING]
            found += [row[9] for row in rows if int(row[1].rpartition(":")[2], 16) == port]
    return found if known else None


def _program_with(inodes: Sequence[str]) -> str:
    """The program that has one of these sockets open; "" where we may not see it."""
    sockets = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(str(one.readlink()) in sockets for one in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name} (process {process.name})"
    return ""


def _cannot_bind(host: str, port: int) -> bool:
    """Whether somebody is there: tried out, for a question may wait long for its answer."""
    import socket

    with socket.socket() as trial:
        # Connections that have ended hold a port for a while, but keep no server from it.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            return error.errno == EADDRINUSE
    return False
