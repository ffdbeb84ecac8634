"""Settings: flags, environment and .env are read here and nowhere else.

What a run is told stands in `Settings`; `environment` reads the variables and `.env`, `words` says
what a word of them means. A flag wins over its variable, which wins over the default.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from rollcall.errors import SettingsError
from rollcall.files import is_file
from rollcall.settings.environment import (
    Dotenv,
    Environment,
    LeftOut,
    Unread,
    read_environment,
    unread_dotenv,
)
from rollcall.settings.given import (
    Given,
    Variables,
    address_of,
    as_path,
    given,
    hint_of,
    is_address,
    refuse_address,
    remember_places,
    source,
    with_places,
)
from rollcall.settings.words import (
    PROXY_ADDRESS,
    PROXY_PORT,
    clock,
    duration_text,
    is_true,
    parse_duration,
    parse_moment,
    proxy_root,
    reachable,
    stamp_of,
    web_address,
    web_parts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "PROXY_ADDRESS",
    "PROXY_PORT",
    "Given",
    "LeftOut",
    "Mode",
    "Settings",
    "Variables",
    "as_path",
    "clock",
    "duration_text",
    "given",
    "hint_of",
    "is_address",
    "is_true",
    "parse_duration",
    "parse_moment",
    "plain_settings",
    "proxy_root",
    "reachable",
    "read_environment",
    "refuse_address",
    "resolve",
    "source",
    "stamp",
    "stamp_of",
    "web_address",
    "web_parts",
    "with_places",
]


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
    def unread(self) -> Unread | None:
        """A `.env` beside config.yaml that was not read, since we were started elsewhere."""
        if self.address is not None:
            return None
        seen = Environment(Variables(self.environ), self.dotenv_path, ())
        return unread_dotenv(self.config_path, seen)

    @property
    def discovery_enabled(self) -> bool:
        """Whether LITELLM_ENABLE_DISCOVERY asks for discovery at proxy start."""
        return is_true(self.environ.get("LITELLM_ENABLE_DISCOVERY"))


def stamp(settings: Settings) -> str:
    """The run's time, ISO 8601 UTC, whole seconds."""
    return stamp_of(settings.now)


class _AsGiven(TypedDict, total=False):
    """What stands in the settings as it was given; left out: as `Settings` has it."""

    key: str | None
    only_providers: tuple[str, ...]
    offline: bool
    force: bool
    strict: bool
    accept: tuple[str, ...]


def resolve(
    *,
    config: Path | str | None = None,
    policy: Path | None = None,
    state_dir: Path | None = None,
    mode: str | None = None,
    timeout: str | None = None,
    deadline: str | None = None,
    ttl: str | None = None,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    now: datetime | None = None,
    dotenv: Dotenv = "whole",
    unsafe_store: bool = False,
    bucket: bool = False,
    **as_given: Unpack[_AsGiven],
) -> Settings:
    """Settings of one run.

    `cwd`, `environ` and `now` are the process's own where they are not given.

    Args:
        bucket: whether LiteLLM's own variables for a config in a bucket name the config.

    Raises:
        SettingsError: an unknown mode, a duration or clock that is none, an unreadable `.env`.
    """
    cwd = cwd or _working_folder()
    seen = read_environment(cwd, os.environ if environ is None else environ, dotenv=dotenv)
    variables = seen.variables
    remember_places(variables)

    if config == "":  # as where a shell's variable is not set
        raise SettingsError("--config is empty.", "Name a config, or leave the option out.")
    named_config = _named(config, "--config", variables, "ROLLCALL_CONFIG")
    named_policy = _named(policy, "--policy", variables, "ROLLCALL_POLICY")
    named_state = _named(state_dir, "--state-dir", variables, "ROLLCALL_STATE_DIR")
    if bucket and config is None:
        named_config = bucket_of_litellm(variables) or named_config
    address, config_path = _config(named_config, cwd)
    policies = _policies(cwd if address else config_path.parent, cwd)
    return Settings(
        config_path=config_path,
        address=address,
        unsafe_store=unsafe_store or is_true(variables.get("ROLLCALL_UNSAFE_STORE")),
        policy_path=as_path(named_policy, cwd) if named_policy else policies[0],
        other_policy=None if named_policy else policies[1],
        state_dir=as_path(named_state, cwd) if named_state else config_path.parent / ".rollcall",
        now=now or clock(variables),
        environ=variables,
        dotenv_path=seen.dotenv_path,
        left_out=seen.left_out,
        mode=_mode(_named(mode, "--mode", variables, "LITELLM_DISCOVERY_MODE")),
        timeout_seconds=_seconds("--timeout", timeout),
        deadline_seconds=_seconds("--deadline", deadline),
        ttl_seconds=_seconds("--ttl", ttl, zero=True),
        **as_given,
    )


def _config(named: Given | None, cwd: Path) -> tuple[str | None, Path]:
    """The address of a config, if it has one, and its file, or where its copy is kept."""
    if named is None:
        return None, cwd / "config.yaml"
    address = address_of(named)
    if address is None:
        return None, as_path(named, cwd)
    named.names(address)
    return address, _copy_of(address)


def _named(flag: object, option: str, variables: Mapping[str, str], variable: str) -> Given | None:
    """What a flag, or else its variable, says."""
    return Given(str(flag), option) if flag else given(variables, variable)


def _mode(named: Given | None) -> Mode:
    if named is None:
        return Mode.ORCHESTRATOR
    try:
        return Mode(named.value.strip().lower())
    except ValueError:
        hint = f"Use one of: {', '.join(Mode)}."
        raise named.error("there is no such mode", hint) from None


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


def bucket_of_litellm(variables: Mapping[str, str]) -> Given | None:
    """What LiteLLM reads where its own variables name a bucket."""
    name = given(variables, "LITELLM_CONFIG_BUCKET_NAME")
    key = given(variables, "LITELLM_CONFIG_BUCKET_OBJECT_KEY")
    kind = "gs" if variables.get("LITELLM_CONFIG_BUCKET_TYPE") == "gcs" else "s3"
    if name is None or key is None:
        return None
    return key._replace(
        value=f"{kind}://{name.value}/{key.value}", name=f"{name.name} with {key.name}"
    )


def _copy_of(address: str) -> Path:
    """Where the copy of a config in a store lies on this machine, ours alone."""
    import tempfile
    from hashlib import sha256

    owner = getattr(os, "geteuid", int)()
    folder = Path(tempfile.gettempdir()) / f"rollcall-{owner}"
    digest = sha256(address.encode()).hexdigest()[:16]
    return folder / digest / (address.rsplit("/", 1)[1] or "config.yaml")


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


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise SettingsError(
            f"The folder you are in cannot be found: {error.strerror or error}.",
            "Change into one that is there.",
        ) from None


def plain_settings(
    config: Path | str | None, policy: Path | None, state_dir: Path | None
) -> Settings:
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
    path = Path(config or "config.yaml")
    return Settings(
        config_path=path,
        policy_path=policy or path.parent / "policy.yaml",
        state_dir=state_dir or path.parent / ".rollcall",
        now=datetime.now(UTC),
        environ=seen.variables,
        dotenv_path=seen.dotenv_path,
        left_out=seen.left_out,
    )
