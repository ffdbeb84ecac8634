"""`start`, `smoke`, `doctor`, `env`, `serve`: around a running proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli import app, options
from rollcall.service.options import DEFAULT_PORT, HELP_EPILOG
from rollcall.settings import plain_settings, resolve

if TYPE_CHECKING:
    from rollcall.settings import Settings


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
            "--or-last-good", help="Where config.yaml does not load, use the last backup that does."
        ),
    ] = False,
    litellm: Litellm = None,
    litellm_anyway: Annotated[
        bool,
        typer.Option("--litellm-anyway", help="Start even a litellm release known to steal keys."),
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Look for new models if enabled, then become litellm.

    Whatever happens to discovery, litellm is started; the exit code is its own.
    """
    from rollcall.cli.start import StartOptions
    from rollcall.cli.start import start as start_proxy

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
            litellm_anyway=litellm_anyway,
            args=tuple(args or ()),
            quiet=quiet,
        )
    )
    raise typer.Exit(code)


@app.command()
def smoke(
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="[LITELLM_BASE_URL, localhost:4000]")
    ] = None,
    config: options.Config = None,
    state_dir: options.StateDir = None,
    key_env: Annotated[
        str | None,
        typer.Option("--key-env", help="The variable that holds the proxy's key."),
    ] = None,
    all_models: Annotated[bool, typer.Option("--all", help="Call every model.")] = False,
    no_calls: Annotated[bool, typer.Option("--no-calls", help="Compare the lists only.")] = False,
    timeout: Annotated[
        str | None, typer.Option("--timeout", help="Per call, e.g. 30s.  [default: 60s]")
    ] = None,
    json: options.Json = False,
) -> None:
    """Call a running proxy: its list, and one completion per alias.

    Exit 1 when something that stands in config.yaml is not served or does not answer.
    """
    from rollcall.errors import Exit
    from rollcall.inspect.smoke import SmokeOptions, proxy_key, proxy_url, read_served, run_smoke
    from rollcall.litellm_config.effective import view
    from rollcall.report.looking import show_smoke

    settings = resolve(config=config, state_dir=state_dir, timeout=timeout)
    data = read_served(settings)
    report = run_smoke(
        proxy_url(settings, url),
        proxy_key(settings, data, key_env),
        view(data),
        SmokeOptions(
            all_models=all_models,
            calls=not no_calls,
            timeout_seconds=settings.timeout_seconds or 60.0,
        ),
    )
    show_smoke(report, as_json=json)
    raise typer.Exit(int(Exit.OK if report.ok else Exit.ERROR))


@app.command(epilog=HELP_EPILOG)
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
    config: options.Config = None,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    mode: options.ModeName = None,
) -> None:
    """Serve /v1/models in front of LiteLLM, and a page for people.

    Each model with what is ready, what is not, and why.
    """
    import gc

    from rollcall.service import serve as serve_models
    from rollcall.service.options import ServeOptions
    from rollcall.sync import apply

    gc.enable()

    def settings() -> Settings:
        return resolve(config=config, policy=policy, state_dir=state_dir, mode=mode)

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


@app.command()
def doctor(
    config: options.Config = None,
    policy: options.PolicyFile = None,
    state_dir: options.StateDir = None,
    litellm: Litellm = None,
    check_keys: Annotated[
        bool, typer.Option("--check-keys", help="Ask the providers whether they take the keys.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Look for what keeps a proxy from starting well.

    Each finding names its fix; exit 1 when one is an error.
    """
    from rollcall.errors import Exit, RollcallError
    from rollcall.inspect.doctor import examine
    from rollcall.inspect.findings import at_most, has_errors
    from rollcall.report.looking import show_findings
    from rollcall.sync import apply

    try:
        settings, error = resolve(config=config, policy=policy, state_dir=state_dir), None
    except RollcallError as wrong:
        settings, error = plain_settings(config, policy, state_dir), wrong
    if check_keys:
        apply.refresh(settings)
    findings = examine(settings, litellm, settings_error=error)
    show_findings(at_most(findings), as_json=json)
    raise typer.Exit(int(Exit.ERROR if has_errors(findings) else Exit.OK))


@app.command()
def env(
    client: Annotated[str, typer.Argument(help="claude-code, codex, openai, aider...")],
    url: Annotated[
        str | None, typer.Option("--url", help="The proxy. [LITELLM_BASE_URL, localhost:4000]")
    ] = None,
    key_env: Annotated[
        str, typer.Option("--key-env", help="The variable that holds the proxy's key.")
    ] = "LITELLM_API_KEY",
    shell: Annotated[
        str | None, typer.Option("--shell", help="sh or powershell; by default this system's.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="A model or alias to start with.")
    ] = None,
) -> None:
    """Print what a shell needs to send a client through the proxy."""
    import os

    from rollcall.cli.env import client_lines
    from rollcall.inspect.smoke import proxy_url
    from rollcall.report.text import out

    settings = resolve()
    default = "powershell" if os.name == "nt" else "sh"
    for line in client_lines(
        client, proxy_url(settings, url), key_env, shell or default, model=model
    ):
        out(line)
