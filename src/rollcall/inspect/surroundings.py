"""Checks what surrounds a config: which litellm there is, variables, `.env`, mounts, encodings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall.errors import LaunchError
from rollcall.files import same_file
from rollcall.inspect.findings import Finding, Level
from rollcall.inspect.shells import PYTHON, command_line, this_shell
from rollcall.launch.find import bad_release
from rollcall.settings import bucket_of_litellm, given

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.launch.find import LiteLLMInstall
    from rollcall.settings import Settings


_OCTAL = re.compile(r"\\([0-7]{3})")


def litellm_findings(
    found: Path | LaunchError, install: LiteLLMInstall | None
) -> Iterator[Finding]:
    """Whether litellm is there, and is a version that can be trusted."""
    if isinstance(found, LaunchError):
        yield Finding(Level.ERROR, "no_litellm", found.what, fix=found.hint)
    elif install is None:
        what = "litellm is there; which version cannot be told from its files."
        yield Finding(Level.OK, "litellm", what, str(found), f"Ask it: {found} --version")
    elif install.known_bad:
        what, fix = bad_release(install, install.known_bad)
        yield Finding(Level.ERROR, "litellm_malicious", what, str(install.library), fix)
    else:
        what = f"litellm {install.version} is installed."
        yield Finding(Level.OK, "litellm", what, str(found))


_TABLE = re.compile(r"[0-9a-f]{40}")
_HEAD_BYTES = 4096
MEND_TABLES = (
    f'{PYTHON} -c "import pathlib, sys; [p.write_bytes(p.read_bytes().replace(bytes([13, 10]), '
    "bytes([10]))) for p in pathlib.Path(sys.argv[1]).glob('*[0-9a-f]')]\""
)
"""Gives each table of the folder behind it a line's end of one byte; the same in every shell."""


def table_findings(install: LiteLLMInstall | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether tiktoken would take the tables that litellm brings along: with Windows' line ends, as
    LiteLLM's wheel for Windows has them, their digest is another.
    """
    if install is None or environ.get("CUSTOM_TIKTOKEN_CACHE_DIR"):
        return
    folder = install.library / "litellm" / "litellm_core_utils" / "tokenizers"
    spoiled = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        if _TABLE.fullmatch(path.name):
            with path.open("rb") as file:
                spoiled += b"\r\n" in file.read(_HEAD_BYTES)
    if spoiled:
        what = (
            f"{spoiled} of the tables by which litellm counts tokens have Windows' line ends, and"
            " tiktoken takes no such: litellm fetches them from openaipublic.blob.core.windows.net,"
            " and what needs them fails where it cannot."
        )
        fix = f"{MEND_TABLES} {command_line((str(folder),), this_shell(os.environ))}"
        yield Finding(Level.WARNING, "tiktoken_tables", what, str(folder), fix)


def other_config_findings(settings: Settings) -> Iterator[Finding]:
    """Variables that make LiteLLM read another config than `--config` says."""
    ours = settings.config_name
    other = given(settings.environ, "CONFIG_FILE_PATH")
    if other and not same_file(Path(other.value), settings.config_path):
        what = f"{other.said} outranks --config: LiteLLM reads {other.value}, not {ours}."
        yield Finding(Level.ERROR, "config_file_path", what, fix=f"{other.unset}.")
    bucket = given(settings.environ, "LITELLM_CONFIG_BUCKET_NAME")
    read = bucket_of_litellm(settings.environ)
    if bucket and (read is None or read.value != settings.address):
        named = read.value if read else "a bucket"
        what = f"{bucket.said} is set: LiteLLM reads {named}, not {ours}."
        fix = f"{bucket.unset}, or name what LiteLLM reads: rollcall apply -c {named}"
        yield Finding(Level.ERROR, "config_bucket", what, fix=fix if read else f"{bucket.unset}.")


def dotenv_findings(
    dotenv_path: Path | None, mode: int | None, install: LiteLLMInstall | None
) -> Iterator[Finding]:
    """Who can read `.env`, and whether litellm on its own would.

    Args:
        mode: its permission bits; None where they mean nothing (Windows).
    """
    if dotenv_path is None:
        return
    if mode is not None and mode & 0o077:
        what = "Others on this machine can read the keys in it."
        fix = command_line(("chmod", "600", str(dotenv_path)), this_shell(os.environ))
        yield Finding(Level.WARNING, "dotenv_readable", what, str(dotenv_path), fix)
    if install is not None and dotenv_path.parent not in install.library.parents:
        what = (
            "litellm started by itself does not read it: it looks for .env from its own"
            " installation upward."
        )
        fix = "Start it with `rollcall start` or scr/start-proxy, which pass the variables on."
        yield Finding(Level.WARNING, "dotenv_unread", what, str(dotenv_path), fix)


def mount_findings(config_path: Path, mountinfo: str) -> Iterator[Finding]:
    """Whether config.yaml is a single file mounted into a container.

    Args:
        mountinfo: the text of /proc/self/mountinfo; "" where there is none.
    """
    points = {
        _OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4])
        for line in mountinfo.splitlines()
        if len(fields := line.split()) > 4
    }
    if str(config_path.absolute()) in points:
        what = "It is mounted as a single file, which cannot be replaced in one step."
        fix = "Mount its folder instead: rollcall then swaps the file whole."
        yield Finding(Level.WARNING, "mounted_file", what, str(config_path), fix)


DOCKER = "Docker makes a folder where a file that is to be mounted is not there"


def folder_findings(paths: tuple[Path, ...]) -> Iterator[Finding]:
    """Folders that stand where config.yaml or `.env` should."""
    for path in dict.fromkeys(paths):
        if path.is_dir():
            level = Level.WARNING if path.name == ".env" else Level.ERROR
            ends = "its keys are missing" if path.name == ".env" else "LiteLLM does not start"
            what = f"{path.name} is a folder, not a file: {ends}. {DOCKER}."
            fix = "Remove it, write the file, then start the container again."
            yield Finding(level, "folder_for_file", what, str(path), fix)


def code_page_findings(files: Mapping[str, bytes], encoding: str) -> Iterator[Finding]:
    """Text that a litellm misreads which is started without PYTHONUTF8=1.

    Args:
        files: name -> bytes of config.yaml, its includes and `.env`.
        encoding: what Python opens files in here, for example cp1252.
    """
    for name, raw in files.items():
        misread = [
            (number, line, how)
            for number, line in enumerate(raw.split(b"\n"), 1)
            if not line.isascii() and (how := _misread(line, encoding))
        ]
        for number, line, how in sorted(misread, key=lambda row: row[2] != STOPS)[:1]:
            character = next(one for one in line.decode("utf-8", "replace") if not one.isascii())
            what = (
                f"{character!r} is misread in this system's {encoding} by a litellm that is started"
                f" without PYTHONUTF8=1: {how}."
            )
            fix = "Start it with `rollcall start` or scr/start-proxy, or set PYTHONUTF8=1 for it."
            yield Finding(Level.WARNING, "code_page", what, f"{name}:{number}", fix)


STOPS = "it does not start"


def _misread(line: bytes, encoding: str) -> str | None:
    """What becomes of a line of UTF-8 that is read in another encoding."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None  # it is not UTF-8, which is another finding
    try:
        seen = line.decode(encoding)
    except UnicodeDecodeError:
        return STOPS
    except LookupError:
        return None
    harmless = seen == text or text.lstrip().startswith("#")
    return None if harmless else "names and values come out garbled"
