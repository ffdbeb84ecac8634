"""The command line: parse, call, report, exit. No logic lives here."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from rollcall._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDER = (
    "plan", "apply", "start", "rollback", "models", "explain", "status", "doctor", "smoke", "serve",
    "init", "pick", "env", "adopt", "eject", "roles", "schema", "demo",
)  # fmt: skip
"""The commands as `--help` lists them: daily work first."""

EXIT_CODES = """\
\b
Exit codes:
  0    done, or nothing to do
  1    a known error; config.yaml untouched
  2    usage
  3    a guard refused the plan; config.yaml untouched
  4    plan --check: changes are pending; apply --detailed-exitcode: written
  5    nobody could be asked; with --strict, somebody with a key could not be
  70   a bug; the path of a log file is printed
  130  interrupted; 143 terminated; config.yaml is whole
"""


class _Commands(TyperGroup):
    """The commands in the order of ORDER, not in that of our modules."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=ORDER.index)


app = typer.Typer(
    name="rollcall",
    cls=_Commands,
    epilog=EXIT_CODES,
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


def app_for(words: Sequence[str]) -> typer.Typer:
    """The app without the commands that `words` cannot mean.

    Typer builds every command it knows, half a millisecond each, to run one of them. Where the
    first word is no command's name, it knows them all.
    """
    first = words[0] if words else ""
    named = [row for row in app.registered_commands if _name_of(row) == first]
    if not named and first != "--version":
        return app
    small = copy(app)
    small.registered_commands = named
    return small


def _name_of(command: typer.models.CommandInfo) -> str:
    assert command.callback is not None
    return command.name or command.callback.__name__.replace("_", "-")


from rollcall.cli import (  # noqa: E402 - they need `app`
    looking,
    plan_commands,
    proxy,
    setup,
)

__all__ = ["app", "app_for", "looking", "plan_commands", "proxy", "setup"]
