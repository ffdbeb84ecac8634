"""`init`, `pick`, `demo`, `roles`: getting started."""

from __future__ import annotations

from typing import Annotated

import typer

from rollcall import settings as settings_module
from rollcall.cli import app, options


@app.command()
def init(
    config: options.Config = None,
    policy: options.PolicyFile = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a policy that is there.")
    ] = False,
) -> None:
    """Write a first policy.yaml from the keys present and the existing config."""
    from rollcall import config_document
    from rollcall.errors import StoreError
    from rollcall.report.text import out
    from rollcall.starter import present, starter_policy
    from rollcall.store import Store

    settings = settings_module.resolve(config=config, policy=policy)
    target = settings.policy_path
    if target.exists() and not overwrite:
        raise StoreError(
            f"{target} is there already; it was not touched.",
            "Edit it, name another with --policy, or pass --overwrite.",
        )
    document = config_document.parse(Store(settings.config_path, settings.state_dir).read_config())
    names = present(settings.environ, document)
    try:
        target.write_text(starter_policy(names), encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreError(
            f"{target} could not be written: {error.strerror or error}.", "Check the folder."
        ) from None
    found = ", ".join(names) or "no provider: no key is set yet"
    out(f"{target}: written, with rules for {found}.")
    out("Next: rollcall plan")


@app.command()
def demo() -> None:
    """The whole job on loopback, with simulated providers: no key, no network."""
    from rollcall.demo import run_demo

    raise typer.Exit(run_demo())
