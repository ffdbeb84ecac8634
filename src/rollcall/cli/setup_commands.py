"""`init`, `pick`, `roles`, `schema`, `demo`: getting started."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rollcall.cli import options
from rollcall.cli.completing import COMPLETE_VARIABLE, SHELLS, pickable_names
from rollcall.settings import resolve


def init(
    config: options.Config = None,
    policy: options.PolicyFile = None,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    offline: options.Offline = False,
    full: Annotated[
        bool, typer.Option("--full", help="Write the policy that ships with rollcall, all of it.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a policy that is there.")
    ] = False,
) -> None:
    """Write a first policy.yaml, from what the config has.

    Rules that keep current what its entries call; a starter where there are none.
    Asks the providers which of those models they still list; --offline asks nobody.
    """
    from rollcall.errors import StoreError
    from rollcall.files import is_there
    from rollcall.report.changing import show_first_policy
    from rollcall.store.atomic import write_named
    from rollcall.sync.first_policy import first_policy

    settings = resolve(
        config=config, policy=policy, timeout=timeout, deadline=deadline, offline=offline
    )
    target = settings.policy_path
    if is_there(target) and not overwrite:
        raise StoreError(
            f"{target} is there already; it was not touched.",
            "Edit it, name another with --policy, or pass --overwrite.",
        )
    first = first_policy(settings, full=full)
    write_named(target, first.text.encode())
    show_first_policy(target, first, settings.environ)


class FactsAction(StrEnum):
    """What `facts` can do."""

    UPDATE = "update"


def facts(
    action: Annotated[FactsAction, typer.Argument(help="update")],
    url: Annotated[str, typer.Argument(help="https://models.dev/api.json, for example.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="Where to write it.  [the policy's file]")
    ] = None,
    config: options.Config = None,
    policy: options.PolicyFile = None,
) -> None:
    """Fetch an open list of prices and last days.

    A copy of models.dev's api.json or of LiteLLM's price map, which a policy names under
    `facts: {files: [...]}`: what it says counts where a provider says nothing.
    """
    from rollcall.report.text import out
    from rollcall.sync.facts import update

    assert action is FactsAction.UPDATE
    settings = resolve(config=config, policy=policy)
    options.refuse_own_files("--to", to, settings.config_path, settings.policy_path)
    done = update(settings, url, to)
    out(f"{done.path}: {'written' if done.changed else 'unchanged'}.")
    if not done.named:
        out(f"To use it, the policy names it: facts: {{files: [{done.path.name}]}}")


def pick(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Do not ask: pick this provider/id or name.",
            autocompletion=pickable_names,
        ),
    ] = None,
    *,
    on: options.Paths,
    clear: Annotated[bool, typer.Option("--clear", help="Forget the pick.")] = False,
) -> None:
    """Choose the model behind `default` from those in the config.

    Remembered beside the policy, in policy.picked.yaml; `rollcall apply` then moves the alias.
    """
    from rollcall.inspect import inventory
    from rollcall.report.changing import choose
    from rollcall.report.text import out
    from rollcall.store.picks import forget_picked, write_picked

    settings = on.settings()
    if clear:
        forget_picked(settings.policy_path)
        out("The pick is forgotten. Next: rollcall apply")
        return
    rows = [row for row in inventory.read_inventory(settings).rows if row.in_config]
    qualified = choose([row for row in rows if row.reason != "hand-written"], model)
    path = write_picked(settings.policy_path, qualified)
    out(f"{path}: default is {qualified}. Next: rollcall apply")


def roles(
    file: Annotated[Path, typer.Option("--file", "-f", help="The library's configuration.")] = Path(
        "llm_orchestrator.yaml"
    ),
    json: options.Json = False,
) -> None:
    """List the library's roles: provider, model, and why."""
    from rollcall.report.looking import show_roles
    from rollcall.runtime.roles import list_roles

    show_roles(list_roles(file), as_json=json)


def schema(
    table: Annotated[
        bool, typer.Option("--table", help="For people: every field, what it takes, what it does.")
    ] = False,
) -> None:
    """Print the policy's JSON Schema, for editors."""
    from rollcall.policy.json_schema import fields_of, json_schema
    from rollcall.report.tables import show_records
    from rollcall.report.text import out_json

    if table:
        show_records(fields_of(json_schema()), ("field", "takes", "default", "what"), titles=True)
    else:
        out_json(json_schema())


def completion(
    shell: Annotated[str, typer.Argument(help=", ".join(SHELLS))],
) -> None:
    """Print what completes commands, options and names.

    For bash, and for zsh behind its compinit: eval "$(rollcall completion bash)"; for fish:
    rollcall completion fish | source; for PowerShell:
    rollcall completion powershell | Out-String | Invoke-Expression
    """
    from typer import completion as completing

    from rollcall.errors import did_you_mean
    from rollcall.report.text import out

    if shell not in SHELLS:
        hint = did_you_mean(shell, SHELLS) or f"There is: {', '.join(SHELLS)}."
        raise typer.BadParameter(f"no completion for {shell!r}. {hint}")
    script = completing.get_completion_script(  # type: ignore[attr-defined] # it is public
        prog_name="rollcall", complete_var=COMPLETE_VARIABLE, shell=shell
    )
    if shell == "bash":  # which takes what follows a colon for a word of its own
        script += "\nCOMP_WORDBREAKS=${COMP_WORDBREAKS//:}"
    out(script)


def demo() -> None:
    """Show the whole job on loopback: no key, no network.

    Plan, apply, a provider that fails, rollback; with simulated providers, in a temporary folder.
    """
    from rollcall.cli.demo import run_demo

    raise typer.Exit(run_demo())
