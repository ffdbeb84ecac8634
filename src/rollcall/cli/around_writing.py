"""What `apply` does around the writing: the checks before it, and what --on-change leads to.

A new text passes every check before it replaces config.yaml. After it was written the command of
--on-change runs, and with --prove-after the proxy is looked at; where an alias died, the old
config.yaml comes back and the command runs again.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rollcall.cli.options import group, seconds
from rollcall.errors import LaunchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rollcall.inspect.prove import ProxyProof, RunningProof
    from rollcall.launch.validation import LiteLLMCheck
    from rollcall.settings import Settings
    from rollcall.sync.apply import Applied


@group
class Proving:
    """The options about what a new config must pass, and what follows it."""

    on_change: Annotated[
        str | None,
        typer.Option(
            "--on-change", help="Run this after a change: a line for sh, on Windows for cmd."
        ),
    ] = None
    validate: Annotated[
        bool, typer.Option("--validate", help="Have LiteLLM itself check the new config first.")
    ] = False
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Start LiteLLM's proxy on it first, and call every alias."),
    ] = False
    prove_after: Annotated[
        str | None,
        typer.Option(
            "--prove-after",
            metavar="URL",
            help="After --on-change: smoke this proxy, and roll back if an alias died.",
        ),
    ] = None
    prove_budget: Annotated[
        str, typer.Option("--prove-budget", help="Time for --prove and --prove-after.")
    ] = "2m"
    rollout: Annotated[
        str | None,
        typer.Option(
            "--rollout",
            metavar="deployment/NAME",
            help="Of a configmap://: roll it out and wait; put the old config back if that fails.",
        ),
    ] = None
    rollout_timeout: Annotated[
        str, typer.Option("--rollout-timeout", help="How long to wait for it.")
    ] = "10m"


class Checks:
    """What a new text has to pass before it replaces config.yaml, in order, and what comes after.

    Attributes:
        given: the checks; none where no option asks for one.
    """

    def __init__(self, settings: Settings, wanted: Proving, *, elsewhere: bool) -> None:
        """Make the checks that were asked for.

        Args:
            elsewhere: the result goes to another file than config.yaml.

        Raises:
            typer.BadParameter: options that do not go together, or a duration that is none.
        """
        if wanted.prove_after and (not wanted.on_change or elsewhere):
            raise typer.BadParameter(
                "--prove-after goes with --on-change, and not with --write-to."
            )
        if wanted.rollout and not (settings.address or "").startswith("configmap://"):
            raise typer.BadParameter("--rollout goes with -c configmap://NAMESPACE/NAME.")
        self.settings = settings
        self.wanted = wanted
        self.given: list[Callable[[bytes], None]] = []
        self._wait_seconds = seconds("--rollout-timeout", wanted.rollout_timeout)
        self._validation: LiteLLMCheck | None = None
        self._proof: ProxyProof | None = None
        self._running: RunningProof | None = None
        self._prepare(seconds("--prove-budget", wanted.prove_budget))

    def _prepare(self, budget_seconds: float) -> None:
        if self.wanted.validate:
            from rollcall.launch.validation import LiteLLMCheck

            self._validation = LiteLLMCheck(self.settings)
            self.given.append(self._validation)
        if self.wanted.prove:
            from rollcall.inspect.prove import ProxyProof

            self._proof = ProxyProof(self.settings, budget_seconds)
            self.given.append(self._proof)
        if self.wanted.prove_after:
            from rollcall.inspect.prove import RunningProof

            self._running = RunningProof(self.settings, self.wanted.prove_after, budget_seconds)
            self.given.append(self._running)

    def __call__(self, content: bytes) -> None:
        """Let a text pass, or raise what it fails by."""
        for check in self.given:
            check(content)

    def say_notes(self) -> None:
        """Say what the checks noted."""
        for check in (self._validation, self._proof):
            if check is not None and check.notes:
                from rollcall.report.text import say_all

                say_all(check.notes, mark="note: ")

    def roll_out(self, applied: Applied) -> None:
        """Roll a written ConfigMap out, where that was asked for.

        Raises:
            LaunchError: the rollout failed; the old config is back.
        """
        if self.wanted.rollout and applied.changed:
            from rollcall.sync.rollout import rolled_out

            rolled_out(self.settings, applied, self.wanted.rollout, self._wait_seconds)

    def follow(self, applied: Applied) -> None:
        """Run --on-change, and with --prove-after look at what became of the proxy.

        Raises:
            LaunchError: the command failed, or an alias that answered before was dead: then the
                old config.yaml is back, and the command was run again.
        """
        command = self.wanted.on_change
        if not command or not applied.changed:
            return
        failed: LaunchError | None = None
        try:
            run_on_change(command)
        except LaunchError as error:
            failed = error
        dead = self._running.dead_after() if self._running else {}
        if dead:
            _take_back(command, self.settings, applied, dead)
        if failed is not None:
            raise failed


def _take_back(command: str, settings: Settings, applied: Applied, dead: Mapping[str, str]) -> None:
    from rollcall.report.text import printable
    from rollcall.sync.apply import rollback

    backup = applied.written.backup_id if applied.written else None
    restored, _ = rollback(settings, backup)
    name, why = next(iter(dead.items()))
    others = f" and {len(dead) - 1} more" if len(dead) > 1 else ""
    try:
        run_on_change(command)
        then = "the command was run again"
    except LaunchError:
        then = "the command was run again, and failed: look at the proxy now"
    raise LaunchError(
        printable(f"{name}{others} answered before and is dead now: {why.rstrip('.')}.", limit=600),
        f"config.yaml is rolled back to {restored}, and {then}.",
    )


def run_on_change(command: str) -> None:
    """Run a command line in the system's shell; what it prints goes to stderr, as ours does.

    What it starts outlives us: a proxy, say.

    Raises:
        LaunchError: it failed. It is not run again by itself: the next run has no change.
    """
    import subprocess

    from rollcall.launch.windows import end_apart
    from rollcall.report.text import flush

    flush()
    end_apart()  # proxies of --prove have ended
    code = subprocess.run(command, shell=True, check=False, stdout=_stderr()).returncode  # noqa: S602 - asked for
    if code:
        raise LaunchError(
            f"The --on-change command ended with {code}; the new config is written.",
            "Run it by hand: the next apply finds nothing to change and does not run it again.",
        )


def _stderr() -> int | None:
    """The descriptor of stderr; None where there is no real one."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None
