"""Settings: flags, environment and .env are read here and nowhere else.

Key variables follow LiteLLM: the process's own environment wins over `.env`, which is looked for
from the working directory upward, unless ``LITELLM_MODE`` is anything but DEV. litellm itself looks
from its own installation upward and often misses it, so `start` hands on what was read here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        environ: variables as LiteLLM will see them (process over `.env`). Never printed.
        dotenv_path: the `.env` that was read, if any.
        now: the clock of every decision, UTC; `SOURCE_DATE_EPOCH` when set.
        timeout_seconds, deadline_seconds, ttl_seconds: None leaves them to the policy.
        offline: decide from stored catalogs only. force: past the guards.
        accept: names let past a hold, remembered in the state.
        discover: discovery at `start`; None leaves it to LITELLM_ENABLE_DISCOVERY.
    """

    config_path: Path
    policy_path: Path
    state_dir: Path
    now: datetime
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    dotenv_path: Path | None = None
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
    def discovery_enabled(self) -> bool:
        """Whether LITELLM_ENABLE_DISCOVERY asks for discovery at proxy start."""
        return is_true(self.environ.get("LITELLM_ENABLE_DISCOVERY"))


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


def read_environment(
    cwd: Path, environ: Mapping[str, str], *, dotenv: bool = True
) -> tuple[dict[str, str], Path | None]:
    """The variables LiteLLM will see when it is started in `cwd`, and the `.env` they came from.

    Args:
        dotenv: False leaves `.env` alone.

    Raises:
        SettingsError: there is a `.env` and it cannot be read.
    """
    merged: dict[str, str] = {}
    path = None
    if dotenv and environ.get("LITELLM_MODE", "DEV") == "DEV":
        path = _find_dotenv(cwd)
    if path is not None:
        values = _read_dotenv(path)
        merged.update({name: value for name, value in values.items() if value is not None})
    merged.update(environ)
    return merged, path


def _read_dotenv(path: Path) -> dict[str, str | None]:
    from dotenv import dotenv_values

    from rollcall.files import read_regular

    try:
        text = read_regular(path).decode("utf-8-sig")
        return dotenv_values(stream=StringIO(text), interpolate=True)
    except UnicodeDecodeError as error:
        what, hint = f"it is not UTF-8 (byte {error.start})", "Save it as UTF-8."
    except OSError as error:
        what, hint = error.strerror or str(error), "Check who owns it and its permissions."
    raise SettingsError(f"{path} cannot be read: {what}.", hint)


def _find_dotenv(cwd: Path) -> Path | None:
    for folder in (cwd, *cwd.parents):
        candidate = folder / ".env"
        if candidate.is_file():
            return candidate
    return None


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
    dotenv: bool = True,
) -> Settings:
    """Settings of one run: a flag wins over its variable, which wins over the default.

    `cwd`, `environ` and `now` are the process's own where they are not given.

    Raises:
        SettingsError: an unknown mode, a duration or clock that is none, an unreadable `.env`.
    """
    cwd = cwd or Path.cwd()
    own = os.environ if environ is None else environ
    merged, dotenv_path = read_environment(cwd, own, dotenv=dotenv)

    def path_of(flag: Path | None, variable: str, default: str) -> Path:
        return cwd / (flag or Path(merged.get(variable) or default)).expanduser()

    config_path = path_of(config, "ROLLCALL_CONFIG", "config.yaml")
    state = state_dir or (Path(given) if (given := merged.get("ROLLCALL_STATE_DIR")) else None)
    return Settings(
        config_path=config_path,
        policy_path=path_of(policy, "ROLLCALL_POLICY", "policy.yaml"),
        state_dir=cwd / state.expanduser() if state else config_path.parent / ".rollcall",
        now=now or clock(merged),
        environ=merged,
        dotenv_path=dotenv_path,
        mode=parse_mode(mode or merged.get("LITELLM_DISCOVERY_MODE") or Mode.ORCHESTRATOR),
        only_providers=only_providers,
        timeout_seconds=_seconds("--timeout", timeout),
        deadline_seconds=_seconds("--deadline", deadline),
        ttl_seconds=_seconds("--ttl", ttl, zero=True),
        offline=offline,
        force=force,
        strict=strict,
        accept=accept,
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
