"""The options that several commands share, each written once, alone and in groups.

A command takes a whole group as one argument; `spread` makes an option of each of its fields.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, dataclass_transform, get_type_hints

import typer

from rollcall.files import is_there
from rollcall.settings import Settings, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Config = Annotated[
    str | None,  # a Path would lose a slash of an address
    typer.Option(
        "--config",
        "-c",
        metavar="PATH",
        help="LiteLLM's config: a file, s3://, gs://, az:// or configmap://."
        " [ROLLCALL_CONFIG, ./config.yaml]",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", help="Of a Kubernetes manifest with several configs: KEY or NAME/KEY of the one."
    ),
]
UnsafeStore = Annotated[
    bool,
    typer.Option("--unsafe-store", help="Write to an object store that ignores conditions, too."),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        "-p",
        help="The policy. [ROLLCALL_POLICY, policy.yaml beside the config, or here]",
    ),
]
StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", help="State and backups. [ROLLCALL_STATE_DIR, .rollcall/]"),
]
ModeName = Annotated[
    str | None,
    typer.Option(
        "--mode", help="orchestrator, subagents or legacy. [LITELLM_DISCOVERY_MODE, orchestrator]"
    ),
]
Providers = Annotated[
    list[str] | None,
    typer.Option("--provider", help="Ask only this provider; may be repeated."),
]
Timeout = Annotated[str | None, typer.Option("--timeout", help="Per provider, e.g. 2s.")]
Deadline = Annotated[str | None, typer.Option("--deadline", help="Over all of them, e.g. 5s.")]
Ttl = Annotated[
    str | None, typer.Option("--ttl", help="Do not ask again within this time, e.g. 10m.")
]
Refresh = Annotated[bool, typer.Option("--refresh", help="Ask the providers anew.")]
Offline = Annotated[bool, typer.Option("--offline", help="Decide from the stored replies only.")]
Force = Annotated[bool, typer.Option("--force", help="Go past the guards.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit 5 when a provider with a key could not be asked.")
]
Accept = Annotated[
    list[str] | None,
    typer.Option(
        "--accept", help="Let this model or alias past a hold, and remember it; repeatable."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", help="Only these fields, comma-separated: a line each, tabs between."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what matters.")]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Also say, on stderr, what was read and every decision's reason."
    ),
]
Litellm = Annotated[
    str | None,
    typer.Option("--litellm", help="The litellm to start. [ROLLCALL_LITELLM, beside us, PATH]"),
]


_OF_SETTINGS = {*inspect.signature(resolve).parameters, *(one.name for one in fields(Settings))}
"""What `resolve` takes."""


_T = TypeVar("_T")


@dataclass_transform(kw_only_default=True)
def group(made: type[_T]) -> type[_T]:
    """Make a group of options: a plain dataclass, since every start of rollcall makes them all.

    With `frozen`, `slots` and a comparison each would take four times as long.
    """
    return dataclass(kw_only=True, eq=False, repr=False)(made)


@group
class _Group:
    """Options that become settings."""

    config: Config = None
    state_dir: StateDir = None

    def settings(self, **more: Any) -> Settings:
        """What these options and the environment come to; `more` as `resolve` takes it.

        Raises:
            SettingsError: see `resolve`.
        """
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        words: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
            if name in _OF_SETTINGS and value is not None
        }
        return resolve(**words | more)


@group
class Written(_Group):
    """Which config is written, where no policy is needed."""

    key: Key = None
    unsafe_store: UnsafeStore = False


@group
class Paths(_Group):
    """Which config, and where its policy and state are."""

    policy: PolicyFile = None


@group
class Place(Paths):
    """The same, and which config of a manifest that holds several."""

    key: Key = None

    def say_missing(self, settings: Settings) -> None:
        """A config that was named by hand and is not there may be a typing mistake."""
        named = self.config is not None and settings.address is None
        if named and not is_there(settings.config_path):
            from rollcall.report.text import say

            say(f"{settings.config_path} is not there: apply would make it.")


@group
class Asking(Place):
    """A place, and how its providers are asked."""

    mode: ModeName = None
    timeout: Timeout = None
    deadline: Deadline = None


@group
class Deciding(Asking):
    """All that a plan is made from."""

    only_providers: Providers = None
    offline: Offline = False
    force: Force = False
    strict: Strict = False
    accept: Accept = None


@group
class Said:
    """How much of a run is told, and to whom."""

    json: Json = False
    quiet: Quiet = False
    verbose: Verbose = False


def spread(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command as typer is to see it: each field of a group among its arguments is an option."""
    hints = get_type_hints(command, include_extras=True)
    given = inspect.signature(command).parameters.values()
    groups = {one.name: hints[one.name] for one in given if is_dataclass(hints[one.name])}
    if not groups:
        return command
    shown = [row for one in given for row in _shown(one, hints[one.name])]

    @wraps(command)
    def run(**values: Any) -> Any:
        for name, group in groups.items():
            values[name] = group(**{one.name: values.pop(one.name) for one in fields(group)})
        return command(**values)

    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined] # what typer reads
    run.__annotations__ = {one.name: one.annotation for one in shown}
    return run


def _shown(argument: inspect.Parameter, kind: Any) -> list[inspect.Parameter]:
    """An argument as the options it stands for."""
    if not is_dataclass(kind):
        return [argument.replace(annotation=kind, kind=argument.KEYWORD_ONLY)]
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            one.name, argument.KEYWORD_ONLY, default=one.default, annotation=hints[one.name]
        )
        for one in fields(kind)
    ]


def seconds(option: str, text: str) -> float:
    """A duration given to an option of one command.

    Raises:
        typer.BadParameter: it is none.
    """
    from rollcall.settings import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}.") from None


def refuse_own_files(option: str, path: Path | None, *taken: Path) -> None:
    """Keep a result from going over a file of the user's that it is not; None = it goes nowhere.

    Raises:
        StoreError: `path` is one of `taken`. SettingsError: it is the address of a store.
    """
    from rollcall.errors import StoreError
    from rollcall.files import same_file
    from rollcall.settings import Given, refuse_address

    if path is None:
        return
    refuse_address(Given(str(path), option))
    for other in taken:
        if same_file(path, other):
            raise StoreError(f"{option} names {other}, which is yours.", "Name another file.")


def columns_of(given: str | None, known: Sequence[str]) -> tuple[str, ...]:
    """The fields `--columns` names; none where it is not given.

    Raises:
        typer.BadParameter: one of them is not among `known`.
    """
    from rollcall.errors import did_you_mean

    names = tuple(name.strip() for name in (given or "").split(",") if name.strip())
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"There is: {', '.join(known)}."
            raise typer.BadParameter(f"--columns: there is no {name!r}. {hint}")
    return names
