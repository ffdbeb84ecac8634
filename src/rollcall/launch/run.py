"""Starts the command: becomes it, or runs it as a child where that is impossible (Windows)."""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import suppress
from errno import E2BIG, ENAMETOOLONG
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rollcall.errors import LaunchError, did_you_mean
from rollcall.launch.shells import batch_line, is_batch, takes_a_line
from rollcall.launch.windows import end_together
from rollcall.settings import PROXY_PORT, Variables, is_address
from rollcall.store.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


WEB_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "granian"})
"""Commands that serve litellm's app themselves: their `--config`, if any, is something else."""


def starts_command(args: Sequence[str]) -> bool:
    """Whether what follows `start --` is a command of its own, as in a container's entrypoint.

    litellm takes options only (its one subcommand logs in and starts no proxy), so a first word
    that is no option is the command to start.
    """
    return bool(args) and not args[0].startswith("-")


def needs_litellm(args: Sequence[str]) -> bool:
    """Whether these arguments start the litellm that is found, not a command of their own."""
    return not starts_command(args) or args[0] == "litellm"


def config_given(args: Sequence[str]) -> str | None:
    """The config file the arguments after `start --` name themselves; the last one counts.

    In a foreign command `-c` may mean anything (`sh -c`), so there only `--config` counts; a web
    server's is a config of its own.
    """
    if args and _is_web_server(args[0]):
        return None
    short = needs_litellm(args)
    given = None
    for place, arg in enumerate(args):
        if arg == "--config" or (short and arg == "-c"):
            given = next(iter(args[place + 1 :]), given)
        elif arg.startswith("--config="):
            given = arg.removeprefix("--config=")
        elif short and arg.startswith("-c") and not arg.startswith("--"):
            given = arg.removeprefix("-c")
    return given


def serving_at(args: Sequence[str], environ: Mapping[str, str]) -> tuple[str, int]:
    """(host, port) at which a proxy started with these arguments can be reached from here."""
    found = {"--host": environ.get("HOST", ""), "--port": environ.get("PORT", "")}
    for place, arg in enumerate(args):
        name, equals, value = arg.partition("=")
        if name in found:
            found[name] = value if equals else next(iter(args[place + 1 :]), "")
    host, port = found["--host"], found["--port"]
    everywhere = ("", "0.0.0.0", "::", "localhost")  # noqa: S104 - to be reached, not to listen
    reached = "127.0.0.1" if host in everywhere else host
    return reached, int(port) if port.isdecimal() else PROXY_PORT


def command(litellm: str | Path | None, config_path: Path, args: Sequence[str]) -> list[str]:
    """The command line to start; `--config` is added unless the arguments name one.

    Args:
        litellm: where it was found; None where these arguments do not need it.

    Options alone go to litellm. A command of its own, such as
    `docker/prod_entrypoint.sh --port 4000`, runs as it stands with `--config` at its end; the word
    `litellm` means the litellm that was found. Nothing is added where it would not reach litellm:
    to a shell's line (`sh -c`, `cmd /c`, `pwsh -Command`) and to a web server that loads litellm's
    app (see `variables`). A config that the arguments name by its address becomes its copy here.
    """
    named = config_given(args)
    config = [] if named is not None else ["--config", str(config_path)]
    if named is not None and is_address(named):  # litellm is started on the copy
        args = [re.sub(re.escape(named) + r"\Z", lambda _: str(config_path), arg) for arg in args]
    if litellm is not None and needs_litellm(args):
        return [str(litellm), *config, *(args[1:] if starts_command(args) else args)]
    program, *rest = args
    if takes_a_line(args) or _is_web_server(program):
        config = []
    return [program, *rest, *config]


def variables(environ: Mapping[str, str], config_path: Path, args: Sequence[str]) -> Variables:
    """The environment to start it with: `environ`, and the config for commands without --config.

    ROLLCALL_CONFIG lets `sh -c 'litellm --config "$ROLLCALL_CONFIG"'` name it. CONFIG_FILE_PATH is
    what litellm's app reads under a web server; it is set for no other command, because to litellm
    it outranks `--config`. PYTHONUTF8 has litellm read config.yaml as what it is, and print names
    in any language into a console or log of another code page.
    """
    result = Variables(environ, {"ROLLCALL_CONFIG": str(config_path)})
    if not result.get("PYTHONUTF8"):  # litellm opens config.yaml in the machine's code page
        result["PYTHONUTF8"] = "1"
    if starts_command(args) and _is_web_server(args[0]):
        result.setdefault("CONFIG_FILE_PATH", str(config_path))
    return result


def _is_web_server(program: str) -> bool:
    return Path(program).stem.lower() in WEB_SERVERS


CONTROL_C_EXIT = 0xC000013A
"""What Windows reports for a process that Ctrl-C ended."""


class UnpassableError(LaunchError):
    """The system does not take these arguments and variables: too long, or too many."""


def launch(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Become the command; where that is impossible (Windows), run it and return its exit code.

    `environ` should hold the variables of `.env` too: litellm looks for `.env` from its own
    installation upward, not from the working directory, and so often misses it.

    Raises:
        UnpassableError, LaunchError: it could not be started.
    """
    return run_child(argv, environ) if os.name == "nt" else _become(argv, environ)


def _become(argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by the command: its signals and exit code need no passing on.

    Python ignores SIGPIPE and SIGXFSZ for itself, and what is ignored stays so across exec.
    """
    _flush()
    ignored = {
        number: signal.signal(number, signal.SIG_DFL) for number in _signals("SIGPIPE", "SIGXFSZ")
    }
    variables = {_bytes(name): _bytes(value) for name, value in environ.items()}
    try:
        os.execvpe(_bytes(argv[0]), [_bytes(arg) for arg in argv], variables)  # noqa: S606  the point
    except (OSError, ValueError) as error:
        for number, handler in ignored.items():
            signal.signal(number, handler)
        raise not_started(argv[0], error) from error


def _flush() -> None:
    """Write out what we said; a stream that is closed, full or not there stops nothing."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()


def _bytes(text: str) -> bytes:
    """A text as it is handed on; UTF-8 where the system's own encoding lacks a character."""
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")


def run_child(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command as a child and return its exit code, 128 + N where signal N ended it.

    Ctrl-C and Ctrl-Break reach every process of a console, so this one only waits them out;
    SIGTERM and SIGHUP reach this one alone and are passed on. On Windows, where a killed parent
    leaves its children running, the child ends with this process, however that ends.

    Raises:
        LaunchError: it could not be started.
    """
    import subprocess

    _flush()
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, _frame: object) -> None:
        if child is None:
            early.append(number)
        else:
            child.send_signal(number)

    def wait_out(_number: int, _frame: object) -> None:
        """The child got this signal too, and decides."""

    handlers: dict[signal.Signals, Callable[[int, object], None]] = {}
    handlers |= dict.fromkeys(_signals("SIGINT", "SIGBREAK"), wait_out)
    handlers |= dict.fromkeys(_signals("SIGTERM", "SIGHUP"), pass_on)
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        end_together()
        child = subprocess.Popen(startable(argv, environ), env=dict(environ))  # noqa: S603  as asked
        for number in early:
            child.send_signal(number)
        return exit_code(child.wait())
    except (OSError, ValueError) as error:
        raise not_started(argv[0], error) from error
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def startable(argv: Sequence[str], environ: Mapping[str, str]) -> list[str] | str:
    """A command as a child process is started with it.

    The program is looked for as --litellm is, since Windows itself finds programs (.exe) only; a
    batch file gets a line that cmd cannot misread.

    Raises:
        LaunchError: there is no such line.
    """
    import shutil

    found = shutil.which(argv[0], path=environ.get("PATH", os.defpath)) or argv[0]
    if os.name != "nt" or not is_batch(found):
        return [found, *argv[1:]]
    shell = environ.get("COMSPEC") or "cmd.exe"
    return f'"{shell}" {batch_line([found, *argv[1:]], str(Path.cwd()))}'


def exit_code(returncode: int) -> int:
    """A child's return code as this process's own: what a shell would report."""
    if returncode < 0:
        return 128 - returncode
    return 130 if returncode == CONTROL_C_EXIT else returncode


def place_last_good(config_path: Path, content: bytes) -> Path:
    """Put the bytes of the last good backup beside config.yaml and return where.

    Beside it, because an `include:` is read relative to the file that has it; in a private
    temporary folder where that folder cannot be written. The user's own file is not touched.

    Raises:
        LaunchError: neither place can be written.
    """
    import tempfile

    name = f"{config_path.stem}.rollcall-last-good{config_path.suffix or '.yaml'}"
    target = config_path.absolute().with_name(name)
    try:
        replace_file(target, content, synced=False)
    except OSError:
        pass
    else:
        return target
    try:
        target = Path(tempfile.mkdtemp(prefix="rollcall-")) / name
        replace_file(target, content, synced=False)
    except OSError as error:
        raise LaunchError(
            f"The last good config could not be placed beside {config_path}: {error.strerror}.",
            "Free some space, or restore it with: rollcall rollback",
        ) from error
    return target


def _signals(*names: str) -> list[signal.Signals]:
    """Those of the named signals that this system has."""
    return [signal.Signals[name] for name in names if name in signal.Signals.__members__]


_TOO_MUCH = frozenset({E2BIG, ENAMETOOLONG})
_TOO_MUCH_ON_WINDOWS = frozenset({87, 206})
"""ERROR_INVALID_PARAMETER, ERROR_FILENAME_EXCED_RANGE."""


def not_started(program: str, error: OSError | ValueError) -> LaunchError:
    """What to raise of a command that the system did not start."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    unpassable = (
        isinstance(error, ValueError)
        or error.errno in _TOO_MUCH
        or getattr(error, "winerror", None) in _TOO_MUCH_ON_WINDOWS
    )
    kind = UnpassableError if unpassable else LaunchError
    hint = "Check that it runs by itself, reinstall it, or name another with --litellm PATH."
    if isinstance(error, FileNotFoundError):
        hint = did_you_mean(program, ("litellm",)) or (
            "Its first line names a program that is not there."
            if Path(program).exists()
            else "Name a command on PATH, or its path; litellm itself takes options only."
        )
    return kind(f"{program} could not be started: {reason}.", hint)
