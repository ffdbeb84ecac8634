"""The command line: parse, call, report, exit. No logic lives here."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall._version import __version__
from rollcall.cli import (
    config_commands,
    inspect_commands,
    plan_commands,
    proxy_commands,
    setup_commands,
)
from rollcall.service import HELP_EPILOG

if TYPE_CHECKING:
    from collections.abc import Sequence

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


app = typer.Typer(
    name="rollcall",
    epilog=EXIT_CODES,
    help="Takes the roll of LLM providers before a LiteLLM proxy starts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
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
            "--version", "-V", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Takes the roll of LLM providers before a LiteLLM proxy starts."""


for command in (
    plan_commands.plan,
    plan_commands.apply,
    proxy_commands.start,
    config_commands.rollback,
    inspect_commands.models,
    inspect_commands.explain,
    inspect_commands.status,
    inspect_commands.doctor,
    inspect_commands.smoke,
    proxy_commands.serve,
    setup_commands.init,
    setup_commands.pick,
    setup_commands.facts,
    proxy_commands.env,
    config_commands.adopt,
    config_commands.eject,
    setup_commands.roles,
    setup_commands.schema,
    setup_commands.demo,
):  # as `--help` lists them: daily work first
    app.command(epilog=HELP_EPILOG if command is proxy_commands.serve else None)(command)


def app_for(words: Sequence[str]) -> typer.Typer:
    """The app without the commands that `words` cannot mean.

    Typer builds every command it knows, half a millisecond each, to run one of them. Where the
    first word is no command's name, it knows them all.
    """
    first = words[0] if words else ""
    named = [row for row in app.registered_commands if name_of(row) == first]
    if not named and first not in ("--version", "-V"):
        return app
    small = copy(app)
    small.registered_commands = named
    return small


def name_of(command: typer.models.CommandInfo) -> str:
    """What a person types to run it."""
    assert command.callback is not None
    return command.name or command.callback.__name__.replace("_", "-")
