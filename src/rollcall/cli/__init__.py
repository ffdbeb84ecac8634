"""The command line: parse, call, report, exit. No logic lives here."""

from __future__ import annotations

from typing import Annotated

import typer

from rollcall._version import __version__

app = typer.Typer(
    name="rollcall",
    help="Takes the roll of LLM providers before a LiteLLM proxy starts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rollcall {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Takes the roll of LLM providers before a LiteLLM proxy starts."""


from rollcall.cli import (  # noqa: E402 - the commands hang themselves onto the app above
    document_commands,
    look_commands,
    proxy_commands,
    setup_commands,
    sync_commands,
)

__all__ = [
    "app",
    "document_commands",
    "look_commands",
    "proxy_commands",
    "setup_commands",
    "sync_commands",
]
