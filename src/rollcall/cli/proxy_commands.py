"""`start`, `serve`, `env`: the proxy, what stands in front of it, and its clients."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import options
from rollcall.service import DEFAULT_PORT
from rollcall.settings import resolve

if TYPE_CHECKING:
    from rollcall.settings import Settings


@options.group
class StartOptions(options.Paths):
    """What `start` is asked for; a config named in `args`, behind `--`, counts."""

    args: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGS]", help="Passed on to litellm; or a command to start."),
    ] = None
    mode: options.ModeName = None
    ttl: options.Ttl = None
    timeout: options.Timeout = None
    deadline: options.Deadline = None
    discover: Annotated[
        bool, typer.Option("--discover", help="Ask the providers. [LITELLM_ENABLE_DISCOVERY]")
    ] = False
    or_last_good: Annotated[
        bool,
        typer.Option(
            "--or-last-good", help="Where config.yaml does not load, use the last backup that does."
        ),
    ] = False
    litellm: options.Litellm = None
    litellm_anyway: Annotated[
        bool,
        typer.Option("--litellm-anyway", help="Start even a litellm release known to steal keys."),
    ] = False
    prepare: Annotated[
        str | None,
        typer.Option(
            "--prepare",
            metavar="SHELL",
            help="Start nothing: print what a script evaluates to start litellm itself.",
        ),
    ] = None
    watch: Annotated[
        str | None,
        typer.Option("--watch", help="Stay, look so often (6h), and restart it on a new config."),
    ] = None
    quiet: options.Quiet = False

    @property
    def words(self) -> tuple[str, ...]:
        """What follows `--`."""
        return tuple(self.args or ())

    @property
    def watch_seconds(self) -> float | None:
        """Stay as the parent and look so often; None = become litellm.

        Raises:
            typer.BadParameter: it is no duration.
        """
        return None if self.watch is None else options.seconds("--watch", self.watch)


def start(*, wanted: StartOptions) -> None:
    """Look for new models if enabled, then become litellm.

    Whatever happens to discovery, litellm is started; the exit code is its own.
    """
    from rollcall.cli.start import prepare, start
    from rollcall.inspect.shells import shell_named
    from rollcall.report.text import is_terminal, out

    if wanted.prepare is None:
        raise typer.Exit(start(wanted))
    if is_terminal(sys.stdout):
        raise typer.BadParameter("--prepare prints the values of .env: not for a terminal.")
    for line in prepare(wanted, shell_named(wanted.prepare)):
        out(line)


def serve(
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Where to listen.")
    ] = DEFAULT_PORT,
    upstream: Annotated[
        str | None,
        typer.Option("--upstream", help="LiteLLM. [LITELLM_BASE_URL, http://127.0.0.1:4000]"),
    ] = None,
    cors: Annotated[
        list[str] | None, typer.Option("--cors", help="A web origin that may read; repeatable.")
    ] = None,
    *,
    on: options.Paths,
    mode: options.ModeName = None,
) -> None:
    """Serve /v1/models in front of LiteLLM, and a page for people.

    Each model with what is ready, what is not, and why.
    """
    import gc

    from rollcall.service import ServeOptions
    from rollcall.service import serve as serve_models
    from rollcall.sync import apply

    gc.enable()

    def settings() -> Settings:
        return on.settings(mode=mode)

    code = serve_models(
        ServeOptions(
            settings=settings(),
            host=host,
            port=port,
            upstream=upstream,
            cors_origins=tuple(cors or ()),
        ),
        refresh=lambda: apply.refresh(settings()),
    )
    raise typer.Exit(code)


def env(
    client: Annotated[str, typer.Argument(help="claude-code, codex, openai, aider...")],
    url: Annotated[
        str | None, typer.Option("--url", help="The proxy. [LITELLM_BASE_URL, localhost:4000]")
    ] = None,
    key_env: Annotated[
        str, typer.Option("--key-env", help="The variable that holds the proxy's key.")
    ] = "LITELLM_API_KEY",
    shell: Annotated[
        str | None, typer.Option("--shell", help="sh, powershell, fish or cmd; by default yours.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="A model or alias to start with.")
    ] = None,
) -> None:
    """Print what a shell needs to send a client through the proxy."""
    import os

    from rollcall.inspect.clients import client_lines, missing_key
    from rollcall.inspect.shells import shell_named, this_shell
    from rollcall.inspect.smoke import proxy_url
    from rollcall.report.text import out, say_error

    settings = resolve()
    reader = shell_named(shell) if shell else this_shell(settings.environ)
    dotenv = settings.dotenv_path if settings.environ.get(key_env, "").strip() else None
    missing = missing_key(key_env, os.environ, dotenv)
    for line in client_lines(
        client, proxy_url(settings, url), key_env, reader, model=model, has_key=missing is None
    ):
        out(line)
    if missing:
        say_error(missing)
