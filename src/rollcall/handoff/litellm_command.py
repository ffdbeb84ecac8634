"""The command line that starts the proxy: which litellm, which config, whose arguments."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall.errors import HandoffError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WEB_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "granian"})
"""Commands that serve litellm's app themselves: their `--config`, if any, is something else."""


def find_litellm(
    explicit: str | None, environ: Mapping[str, str], *, python: str | None = None
) -> Path:
    """The litellm command to start, as an absolute path.

    Looked for where --litellm or ROLLCALL_LITELLM says (a file, or a command's name), then beside
    rollcall's own Python, then on PATH. What was said outright is never replaced by a guess.

    Args:
        explicit: the value of --litellm; None or "" when it was not given.
        python: the interpreter to look beside; rollcall's own unless a test says otherwise.

    Raises:
        HandoffError: there is none; the hint says how to get or name one.
    """
    path = environ.get("PATH", os.defpath)
    if explicit:
        return _named("--litellm", explicit, path)
    if variable := environ.get("ROLLCALL_LITELLM"):
        return _named("ROLLCALL_LITELLM", variable, path)
    folders = _folders_beside(sys.executable if python is None else python)
    if found := shutil.which("litellm", path=os.pathsep.join([*folders, path])):
        return Path(found).absolute()
    raise HandoffError(
        "litellm was not found beside rollcall's Python or on PATH.",
        "Install it with: pip install 'litellm[proxy]' (or name it with --litellm PATH).",
    )


def _named(option: str, value: str, path: str) -> Path:
    found = shutil.which(os.path.expanduser(value), path=path)  # noqa: PTH111  a Path drops "./"
    if found is None:
        raise HandoffError(
            f"{option} names {value!r}, which is not a command that can be started.",
            "Give the path of the litellm command, or leave it out to search PATH.",
        )
    return Path(found).absolute()


def _folders_beside(python: str) -> list[str]:
    """Where a Python keeps its commands; outside a virtual environment Windows uses Scripts."""
    if not python:
        return []
    folder = Path(python).parent
    return [str(folder), str(folder / "Scripts")]


def starts_command(args: Sequence[str]) -> bool:
    """Whether what follows `start --` is a command of its own, as in a container's entrypoint.

    litellm takes options only (its one subcommand logs in and starts no proxy), so a first word
    that is no option is the command to start.
    """
    return bool(args) and not args[0].startswith("-")


def config_given(args: Sequence[str]) -> str | None:
    """The config file the arguments after `start --` name themselves; the last one counts.

    In a foreign command `-c` may mean anything (`sh -c`), so there only `--config` counts.
    """
    short = not starts_command(args) or args[0] == "litellm"
    given = None
    for place, arg in enumerate(args):
        if arg == "--config" or (short and arg == "-c"):
            given = next(iter(args[place + 1 :]), given)
        elif arg.startswith("--config="):
            given = arg.removeprefix("--config=")
        elif short and arg.startswith("-c") and not arg.startswith("--"):
            given = arg.removeprefix("-c")
    return given


def command(litellm: str | Path, config_path: Path, args: Sequence[str]) -> list[str]:
    """The command line to start; `--config` is added unless the arguments name one.

    Options alone go to litellm. A command of its own, such as
    `docker/prod_entrypoint.sh --port 4000`, runs as it stands with `--config` at its end; the word
    `litellm` means the litellm that was found. Nothing is added where it would not reach litellm:
    after `sh -c` and to a web server that loads litellm's app (see `variables`).
    """
    config = [] if config_given(args) is not None else ["--config", str(config_path)]
    if not starts_command(args):
        return [str(litellm), *config, *args]
    program, *rest = args
    if program == "litellm":
        return [str(litellm), *config, *rest]
    if "-c" in rest or _is_web_server(program):
        config = []
    return [program, *rest, *config]


def variables(environ: Mapping[str, str], config_path: Path, args: Sequence[str]) -> dict[str, str]:
    """The environment to start it with: `environ`, and the config for commands without --config.

    ROLLCALL_CONFIG lets `sh -c 'litellm --config "$ROLLCALL_CONFIG"'` name it. CONFIG_FILE_PATH is
    what litellm's app reads under a web server; it is set for no other command, because to litellm
    it outranks `--config`.
    """
    result = {**environ, "ROLLCALL_CONFIG": str(config_path)}
    if starts_command(args) and _is_web_server(args[0]):
        result.setdefault("CONFIG_FILE_PATH", str(config_path))
    return result


def _is_web_server(program: str) -> bool:
    return Path(program).stem.lower() in WEB_SERVERS
