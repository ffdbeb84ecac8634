"""`start`, `smoke`, `doctor`, `env`, `serve`: around a running proxy."""

from __future__ import annotations

from typing import Annotated

import typer

from rollcall.cli import app, options

Litellm = Annotated[
    str | None,
    typer.Option("--litellm", help="The litellm to start. [ROLLCALL_LITELLM, beside us, PATH]"),
]


@app.command()
def start(
    args: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGS]", help="Passed on to litellm; or a command to start."),
    ] = None,
    config: options.Config = None,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    mode: options.ModeName = None,
    ttl: options.Ttl = None,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    discover: Annotated[
        bool, typer.Option("--discover", help="Ask the providers. [LITELLM_ENABLE_DISCOVERY]")
    ] = False,
    or_last_good: Annotated[
        bool,
        typer.Option(
            "--or-last-good", help="Where config.yaml does not load, use the last backup."
        ),
    ] = False,
    litellm: Litellm = None,
    quiet: options.Quiet = False,
) -> None:
    """Discovery, if enabled, then litellm takes over; discovery never keeps it from starting."""
    from rollcall.starting import StartOptions
    from rollcall.starting import start as start_proxy

    code = start_proxy(
        StartOptions(
            config=config,
            policy=policy,
            state_dir=state_dir,
            mode=mode,
            ttl=ttl,
            timeout=timeout,
            deadline=deadline,
            discover=discover,
            or_last_good=or_last_good,
            litellm=litellm,
            args=tuple(args or ()),
            quiet=quiet,
        )
    )
    raise typer.Exit(code)
