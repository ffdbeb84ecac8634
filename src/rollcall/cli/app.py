"""The command line: parse, call, report, exit. No logic lives here."""

from __future__ import annotations

import os
from copy import copy
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall._version import __version__
from rollcall.cli import (
    config_commands,
    inspect_commands,
    proxy_commands,
    setup_commands,
)
from rollcall.cli.completing import COMPLETE_VARIABLE
from rollcall.cli.options import spread
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
    config_commands.plan,
    config_commands.apply,
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
    setup_commands.completion,
    setup_commands.demo,
):  # as `--help` lists them: daily work first
    app.command(
        epilog=HELP_EPILOG if command is proxy_commands.serve else None,
        short_help=(command.__doc__ or "").partition("\n")[0],
    )(command)


def run_app(words: Sequence[str]) -> Any:
    """Run a command line; returns its exit code, or nothing.

    `help COMMAND` is `COMMAND --help`. A shell that completes asks by a variable.
    """
    if os.environ.get(COMPLETE_VARIABLE):
        from typer.completion import completion_init  # type: ignore[attr-defined] # it is public

        completion_init()
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    return app_for(words)(list(words), standalone_mode=False, prog_name="rollcall")


def app_for(words: Sequence[str]) -> typer.Typer:
    """The app without the commands that `words` cannot mean, ready to run.

    Typer builds every command it knows, half a millisecond each, to run one of them. Where the
    first word is no command's name, it knows them all.
    """
    first = words[0] if words else ""
    named = [row for row in app.registered_commands if name_of(row) == first]
    if not named and first not in ("--version", "-V"):
        named = app.registered_commands
    ready = copy(app)
    ready.registered_commands = [_ready(row) for row in named]
    return ready


def _ready(row: typer.models.CommandInfo) -> typer.models.CommandInfo:
    assert row.callback is not None
    ready = copy(row)
    ready.callback = spread(row.callback)
    return ready


def name_of(command: typer.models.CommandInfo) -> str:
    """What a person types to run it."""
    assert command.callback is not None
    return command.name or command.callback.__name__.replace("_", "-")
