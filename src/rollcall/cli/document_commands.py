"""`adopt` and `eject`: taking hand-written entries over, and giving managed ones up."""

from __future__ import annotations

from typing import Annotated

import typer

from rollcall import settings as settings_module
from rollcall.cli import app, options


@app.command()
def adopt(
    config: options.Config = None,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    offline: options.Offline = False,
    force: options.Force = False,
) -> None:
    """Turn hand-written entries the policy would produce into managed ones; take strays back."""
    from rollcall import handover
    from rollcall.report.handover import show_adopted

    settings = settings_module.resolve(
        config=config, policy=policy, state_dir=state_dir, timeout=timeout, deadline=deadline,
        offline=offline, force=force,
    )  # fmt: skip
    show_adopted(handover.adopt(settings), str(settings.config_path))


@app.command()
def eject(
    config: options.Config = None,
    state_dir: options.StateDir = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the managed entries out instead.")
    ] = False,
) -> None:
    """Leave the managed entries as ordinary ones: no markers, nothing of rollcall."""
    from rollcall import handover
    from rollcall.report.handover import show_ejected

    settings = settings_module.resolve(config=config, state_dir=state_dir)
    written = handover.eject(settings, remove=remove)
    show_ejected(written, str(settings.config_path), removed=remove)
