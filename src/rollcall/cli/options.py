"""The options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
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
