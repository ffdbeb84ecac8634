"""Settings: flags, environment and .env are read here and nowhere else.

Key variables follow LiteLLM: the process's own environment wins over `.env`, which is looked for
from the working directory upward (or named in ``ROLLCALL_ENV_FILE``), unless ``LITELLM_MODE`` is
anything but DEV. litellm itself looks from its own installation upward and often misses it, so
`start` hands on what was read here.
"""

from __future__ import annotations

import os
import re
import sys
from collections import UserDict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from rollcall.errors import SettingsError
from rollcall.files import is_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})


class Mode(StrEnum):
    """Whom a run asks. Providers a mode does not ask keep their entries as they are."""

    ORCHESTRATOR = "orchestrator"
    """Every provider of the policy."""
    SUBAGENTS = "subagents"
    """Only OpenRouter, by the rules that name it."""
    LEGACY = "legacy"
    """Only OpenRouter, strictly Anthropic's models, plus the alias `claude-fallback`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run's settings; every other module gets its clock, environment and paths from here.

    Attributes:
        config_path: the file, or where a copy of what lies at `address` is kept.
        address: of a config in a store (`s3://bucket/key`, `configmap://namespace/name`); None
            of a file.
        key: of a Kubernetes manifest with several configs in it, the one that is meant.
        unsafe_store: write to a store that ignores conditions, too.
        environ: variables as LiteLLM will see them (process over `.env`). Never printed.
        dotenv_path: the `.env` that was read, if any. left_out: its variables that no process
            can be given, which are missing in `environ`.
        now: the clock of every decision, UTC; `SOURCE_DATE_EPOCH` when set.
        other_policy: a policy.yaml of the working directory that does not count, because another
            one stands beside config.yaml.
        timeout_seconds, deadline_seconds, ttl_seconds: None leaves them to the policy.
        offline: decide from stored catalogs only. force: past the guards.
        accept: names let past a hold, remembered in the state.
        discover: discovery at `start`; None leaves it to LITELLM_ENABLE_DISCOVERY.
    """

    config_path: Path
    policy_path: Path
    state_dir: Path
    now: datetime
    address: str | None = None
    key: str | None = None
    unsafe_store: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    dotenv_path: Path | None = None
    left_out: tuple[LeftOut, ...] = ()
    other_policy: Path | None = None
    mode: Mode = Mode.ORCHESTRATOR
    only_providers: tuple[str, ...] = ()
    timeout_seconds: float | None = None
    deadline_seconds: float | None = None
    ttl_seconds: float | None = None
    offline: bool = False
    force: bool = False
    strict: bool = False
    accept: tuple[str, ...] = ()

    @property
    def config_name(self) -> str:
        """What a person calls the config: its address, or its path."""
        return self.address or str(self.config_path)

    @property
    def discovery_enabled(self) -> bool:
        """Whether LITELLM_ENABLE_DISCOVERY asks for discovery at proxy start."""
        return is_true(self.environ.get("LITELLM_ENABLE_DISCOVERY"))


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 moment as we keep it, UTC where it names no zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_true(word: str | None) -> bool:
    """Whether an environment variable says yes: 1, true, yes or on, in any case."""
    return (word or "").strip().lower() in TRUE_WORDS


def parse_mode(word: str) -> Mode:
    """Read a mode's name.

    Raises:
        SettingsError: the word is not a mode; the hint lists them.
    """
    try:
        return Mode(word.strip().lower())
    except ValueError:
        known = ", ".join(Mode)
        raise SettingsError(f"Unknown mode {word!r}.", f"Use one of: {known}.") from None


def parse_duration(text: str) -> float:
    """Seconds of a duration: `2s`, `500ms`, `10m`, `1h`, `7d`, or a bare number of seconds.

    Raises:
        ValueError: not a duration; says what one looks like.
    """
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
    word = str(text).strip().lower()
    number = word.rstrip("smhdw")
    unit = word[len(number) :] or "s"
    try:
        seconds = float(number) * units[unit]
    except (ValueError, KeyError):
        raise ValueError(f"{text!r} is not a duration such as 2s, 500ms, 10m, 1h or 7d") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{text!r} is not a duration: it must be zero or more")
    return seconds


class Variables(UserDict[str, str]):
    """Variables by name. On Windows a name is found whatever its case, as the system finds it.

    Of several mappings the last one counts.
    """

    ignore_case: ClassVar[bool] = os.name == "nt"

    def __init__(self, *given: Mapping[str, str]) -> None:
        super().__init__()
        for one in given:
            self.update(one)

    def __getitem__(self, name: str) -> str:
        return self.data[self._key(name)]

    def __setitem__(self, name: str, value: str) -> None:
        self.data[self._key(name)] = value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._key(name) in self.data

    def __repr__(self) -> str:
        return f"Variables({len(self.data)})"

    def _key(self, name: str) -> str:
        return name.upper() if self.ignore_case else name


def reachable(address: str) -> str:
    """A web address as a client can connect to it: 0.0.0.0 and [::], where a server listens, are
    this machine. Programs log them, people copy them, and Windows refuses to connect to them.
    """
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        if not ip_address(parts.hostname or "").is_unspecified:
            return address
        host = "127.0.0.1" if "." in str(parts.hostname) else "[::1]"
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return address
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}{host}{port}").geturl()


class LeftOut(NamedTuple):
    """A variable of `.env` that no process can be given.

    Attributes:
        name: as it would be called. where: `path:line`. what: one sentence; never holds a value.
    """

    name: str
    where: str
    what: str
    fix: str


class Environment(NamedTuple):
    """The variables LiteLLM will see, the `.env` some came from, and what had to be left out."""

    variables: Variables
    dotenv_path: Path | None
    left_out: tuple[LeftOut, ...]


Dotenv = Literal["whole", "readable", "none"]
"""How `.env` is read: refused where it is not UTF-8, without those lines, or not at all."""


def read_environment(
    cwd: Path, environ: Mapping[str, str], *, dotenv: Dotenv = "whole"
) -> Environment:
    """The variables LiteLLM will see when it is started in `cwd`.

    Raises:
        SettingsError: there is a `.env` and it cannot be read.
    """
    path = None
    if dotenv != "none" and environ.get("LITELLM_MODE", "DEV") == "DEV":
        named = environ.get("ROLLCALL_ENV_FILE")
        path = cwd / named if named else _find_dotenv(cwd)
    environ = Variables(environ)
    if path is None:
        return Environment(environ, None, ())
    text = _dotenv_text(path, whole=dotenv == "whole")
    given = {name: value for name, value in _dotenv_values(text).items() if value is not None}
    why = _unfit(given, environ)
    left_out = tuple(_left_out(path, text, why))
    fit = {name: value for name, value in given.items() if name not in why}
    return Environment(Variables(fit, environ), path, left_out)


def _dotenv_text(path: Path, *, whole: bool) -> str:
    """The text of a `.env`; where not `whole`, with a stand-in for each byte that is no UTF-8."""
    from rollcall.files import AS_UTF_8, BYTE_ORDER_MARK, NotUTF8, read_regular, text_of

    try:
        content = read_regular(path)
    except OSError as error:
        what, hint = error.strerror or str(error), "Check who owns it and its permissions."
        raise SettingsError(f"{path} cannot be read: {what}.", hint) from None
    try:
        return text_of(content)
    except NotUTF8 as error:
        if whole or error.line is None:
            raise SettingsError(error.said_of(path), AS_UTF_8) from None
        return content.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "surrogateescape")


def _dotenv_values(text: str) -> dict[str, str | None]:
    from dotenv import dotenv_values

    return dotenv_values(stream=StringIO(text), interpolate=True)


MOST_VARIABLE_BYTES = 30_000 if os.name == "nt" else 120 * 1024
"""Of one variable: Windows takes 32,767 characters, Linux 128 KiB of its name and value."""
MOST_BYTES = 4 * 1024 * 1024
"""Of all variables, where the system knows no smaller bound: Linux takes six megabytes at most."""


def _unfit(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Which variables of `.env` cannot be handed to a process beside `environ`, and why."""
    added = {name: value for name, value in given.items() if name not in environ}
    why = {name: reason for name, value in added.items() if (reason := _unfit_reason(name, value))}
    sizes = {name: _size(name, value) for name, value in added.items() if name not in why}
    too_much = sum(sizes.values()) + sum(map(_size, environ, environ.values())) - _room_bytes()
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if too_much <= 0:
            break
        too_much -= sizes[name]
        why[name] = "all variables together are more than this system hands to a process"
    return why


def _unfit_reason(name: str, value: str) -> str | None:
    if not name or "=" in name:
        return "no variable can have such a name"
    if "\0" in name + value:
        return "it holds a NUL character, as when UTF-16 was appended to the file"
    try:
        size = len(f"{name}={value}".encode())
    except UnicodeEncodeError:
        return "it is not UTF-8"
    if size > MOST_VARIABLE_BYTES:
        return f"its {size} bytes are more than this system hands to a process"
    return None


def _size(name: str, value: str) -> int:
    """The bytes a variable takes in a new process: its text, two separators and a pointer."""
    return len(f"{name}{value}".encode("utf-8", "surrogateescape")) + 10


def _room_bytes() -> int:
    """What all variables may take; a quarter is left for the command line."""
    try:
        if sys.platform == "win32":
            return MOST_BYTES
        most = os.sysconf("SC_ARG_MAX")
    except (ValueError, OSError):
        most = -1
    return (min(most, MOST_BYTES) if most > 0 else MOST_BYTES) * 3 // 4


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _left_out(path: Path, text: str, why: Mapping[str, str]) -> Iterator[LeftOut]:
    """Tell each of them. What is no ordinary name is not shown: it may be a piece of a key."""
    if not why:
        return
    from dotenv.parser import parse_stream

    from rollcall.files import AS_UTF_8

    written = {row.key: row.original for row in parse_stream(StringIO(text)) if row.key in why}
    for name, (source, line) in written.items():
        blank = source[: len(source) - len(source.lstrip())]
        bare = (name or "").replace("\0", "")
        called = bare if _NAME.fullmatch(bare) else "A variable"
        where = f"{path}:{line + blank.count(chr(10))}"
        yield LeftOut(bare, where, f"{called} is left out: {why[name or '']}.", AS_UTF_8)


def _find_dotenv(cwd: Path) -> Path | None:
    for folder in (cwd, *cwd.parents):
        candidate = folder / ".env"
        with suppress(OSError):  # a folder we may not look into holds none that litellm reads
            if is_file(candidate):
                return candidate
    return None


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise SettingsError(
            f"The folder you are in cannot be found: {error.strerror or error}.",
            "Change into one that is there.",
        ) from None


def clock(environ: Mapping[str, str]) -> datetime:
    """Now in UTC, or what SOURCE_DATE_EPOCH says.

    Raises:
        SettingsError: SOURCE_DATE_EPOCH is set and is not a number of seconds.
    """
    epoch = environ.get("SOURCE_DATE_EPOCH", "").strip()
    if not epoch:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise SettingsError(
            f"SOURCE_DATE_EPOCH is {epoch!r}, which is not a Unix time.",
            "Unset it, or set it to whole seconds since 1970.",
        ) from None


def resolve(
    *,
    config: Path | None = None,
    policy: Path | None = None,
    state_dir: Path | None = None,
    mode: str | None = None,
    only_providers: tuple[str, ...] = (),
    timeout: str | None = None,
    deadline: str | None = None,
    ttl: str | None = None,
    offline: bool = False,
    force: bool = False,
    strict: bool = False,
    accept: tuple[str, ...] = (),
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    now: datetime | None = None,
    dotenv: Dotenv = "whole",
    key: str | None = None,
    unsafe_store: bool = False,
    bucket: bool = False,
) -> Settings:
    """Settings of one run: a flag wins over its variable, which wins over the default.

    `cwd`, `environ` and `now` are the process's own where they are not given.

    Args:
        bucket: whether LiteLLM's own variables for a config in a bucket name the config.

    Raises:
        SettingsError: an unknown mode, a duration or clock that is none, an unreadable `.env`.
    """
    cwd = cwd or _working_folder()
    own = os.environ if environ is None else environ
    merged, dotenv_path, left_out = read_environment(cwd, own, dotenv=dotenv)

    def said(variable: str) -> str:
        return variable if variable in own else f"{variable} in {dotenv_path}"

    def path_of(flag: Path | None, option: str, variable: str, default: Path) -> Path:
        given = flag or merged.get(variable)
        if not given:
            return default
        path = cwd / _path(str(given), option if flag else said(variable))
        if not flag:
            _NAMED_BY[str(path)] = said(variable)
        return path

    address = address_of(str(config or merged.get("ROLLCALL_CONFIG") or ""))
    if bucket and config is None:
        address = _bucket_address(merged) or address
    if address is None:
        config_path = path_of(config, "--config", "ROLLCALL_CONFIG", cwd / "config.yaml")
        policies = _policies(config_path.parent, cwd)
    else:
        config_path = _copy_of(address)
        policies = _policies(cwd, cwd)
    beside = config_path.parent / ".rollcall"
    return Settings(
        config_path=config_path,
        address=address,
        key=key,
        unsafe_store=unsafe_store or is_true(merged.get("ROLLCALL_UNSAFE_STORE")),
        policy_path=path_of(policy, "--policy", "ROLLCALL_POLICY", policies[0]),
        other_policy=policies[1] if not (policy or merged.get("ROLLCALL_POLICY")) else None,
        state_dir=path_of(state_dir, "--state-dir", "ROLLCALL_STATE_DIR", beside),
        now=now or clock(merged),
        environ=merged,
        dotenv_path=dotenv_path,
        left_out=left_out,
        mode=_mode(mode, merged.get("LITELLM_DISCOVERY_MODE"), said("LITELLM_DISCOVERY_MODE")),
        only_providers=only_providers,
        timeout_seconds=_seconds("--timeout", timeout),
        deadline_seconds=_seconds("--deadline", deadline),
        ttl_seconds=_seconds("--ttl", ttl, zero=True),
        offline=offline,
        force=force,
        strict=strict,
        accept=accept,
    )


_ADDRESS = re.compile(r"(s3|gs|az|configmap):[/\\]{1,2}(.*)", re.DOTALL)


def address_of(text: str) -> str | None:
    """The address of a config in a store, None of a path; a Path has lost one of its slashes.

    Raises:
        SettingsError: it names a store and no config in it.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return None
    first, _, rest = found[2].replace("\\", "/").partition("/")
    if not first or not rest:
        shape = "NAMESPACE/NAME" if found[1] == "configmap" else "BUCKET/KEY"
        raise SettingsError(f"{text!r} names no config.", f"Write {found[1]}://{shape}.")
    return f"{found[1]}://{first}/{rest}"


def _bucket_address(environ: Mapping[str, str]) -> str | None:
    """What LiteLLM reads where its own variables name a bucket."""
    name = environ.get("LITELLM_CONFIG_BUCKET_NAME")
    key = environ.get("LITELLM_CONFIG_BUCKET_OBJECT_KEY")
    kind = "gs" if environ.get("LITELLM_CONFIG_BUCKET_TYPE") == "gcs" else "s3"
    return f"{kind}://{name}/{key}" if name and key else None


def _copy_of(address: str) -> Path:
    """Where the copy of a config in a store lies on this machine, ours alone."""
    import tempfile
    from hashlib import sha256

    owner = getattr(os, "geteuid", int)()
    folder = Path(tempfile.gettempdir()) / f"rollcall-{owner}"
    digest = sha256(address.encode()).hexdigest()[:16]
    return folder / digest / (address.rsplit("/", 1)[1] or "config.yaml")


_NAMED_BY: dict[str, str] = {}
"""path -> the variable that named it in this process, for errors about it."""


def named_by(text: str) -> str:
    """Which variable named a path that a text is about, as a sentence; "" where none did."""
    about = sorted((path for path in _NAMED_BY if path in text), key=len)
    return f"The path comes from {_NAMED_BY[about[-1]]}." if about else ""


def _path(given: str, said: str) -> Path:
    """A path somebody named.

    Raises:
        SettingsError: it holds what no path does, as `.env` in double quotes has it; no such home.
    """
    if any(ord(character) < 32 for character in given):
        raise SettingsError(
            f"{said} was read as {given!r}: it holds a control character, which no path does.",
            "In .env, double quotes make \\n a line break and \\t a tab: write the path in single"
            " quotes, or with forward slashes.",
        )
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise SettingsError(
            f"{said} is {given!r}, and there is no such home folder.", "Write the whole path."
        ) from None


def _mode(given: str | None, from_variable: str | None, said: str) -> Mode:
    try:
        return parse_mode(given or from_variable or Mode.ORCHESTRATOR)
    except SettingsError as error:
        if given:
            raise
        raise SettingsError(f"{said}: {error.what}", error.hint) from None


def _policies(beside_config: Path, cwd: Path) -> tuple[Path, Path | None]:
    """The policy that counts where nobody names one, and another that is there and does not.

    The one beside config.yaml comes first: it was written for it.
    """
    places = [beside_config / "policy.yaml"]
    if not _same_place(beside_config, cwd):
        places.append(cwd / "policy.yaml")
    there = [place for place in places if is_file(place)]
    return (there or places)[0], there[1] if len(there) > 1 else None


def _same_place(one: Path, other: Path) -> bool:
    return os.path.normcase(os.path.abspath(one)) == os.path.normcase(os.path.abspath(other))  # noqa: PTH100 - no disk


def plain_settings(config: Path | None, policy: Path | None, state_dir: Path | None) -> Settings:
    """The paths alone and all else at its default, where `resolve` refuses; raises nothing.

    Of `.env` what can be read; without a folder to start from where that is gone.
    """
    ways: tuple[Dotenv, ...] = ("readable", "none")
    for dotenv in ways:
        try:
            return resolve(
                config=config,
                policy=policy,
                state_dir=state_dir,
                mode=Mode.ORCHESTRATOR,
                now=datetime.now(UTC),
                dotenv=dotenv,
            )
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001, S112 - what `resolve` said has been told already
            continue
    seen = Environment(Variables(os.environ), None, ())
    with suppress(BaseException):
        seen = read_environment(Path.cwd(), os.environ, dotenv="readable")
    path = config or Path("config.yaml")
    return Settings(
        config_path=path,
        policy_path=policy or path.parent / "policy.yaml",
        state_dir=state_dir or path.parent / ".rollcall",
        now=datetime.now(UTC),
        environ=seen.variables,
        dotenv_path=seen.dotenv_path,
        left_out=seen.left_out,
    )


def _seconds(flag: str, text: str | None, *, zero: bool = False) -> float | None:
    if text is None:
        return None
    hint = "Write it as 2s, 500ms or 1m."
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise SettingsError(f"{flag}: {error}.", hint) from None
    if not seconds and not zero:
        raise SettingsError(f"{flag}: nobody answers in no time at all.", hint)
    return seconds


def stamp(settings: Settings) -> str:
    """The run's time, ISO 8601 UTC, whole seconds."""
    return stamp_of(settings.now)


def stamp_of(moment: datetime) -> str:
    """A moment in UTC, ISO 8601, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
