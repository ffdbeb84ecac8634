"""`init`, `pick`, `demo`, `roles`: getting started."""

from __future__ import annotations

import typer

from rollcall.cli import app


@app.command()
def demo() -> None:
    """The whole job on loopback, with simulated providers: no key, no network."""
    from rollcall.demo import run_demo

    raise typer.Exit(run_demo())
