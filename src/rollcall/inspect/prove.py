"""Proves a config through LiteLLM itself: before it replaces config.yaml, or after a restart.

Before: LiteLLM's own proxy on the new text, on a free loopback port; it has to be ready, list what
the text says, and answer every alias. After: the running proxy, against what it answered before.
An alias that nothing of the new text concerns may be dead: it was before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rollcall.errors import ConfigRefused
from rollcall.inspect.smoke import (
    SmokeOptions,
    SmokeVerdict,
    proxy_key,
    read_promised,
    run_smoke,
)
from rollcall.launch.find import find_litellm
from rollcall.launch.proxy_child import ProxyChild, free_port
from rollcall.launch.run import variables
from rollcall.launch.validation import beside
from rollcall.litellm_config.effective import view
from rollcall.secrets import secrets_of

if TYPE_CHECKING:
    from rollcall.inspect.smoke import Promised, SmokeReport
    from rollcall.settings import Settings


PROVE_SECONDS: Final = 120.0
AGAIN_SECONDS: Final = 0.5
END_SECONDS: Final = 5.0


@dataclass
class ProxyProof:
    """A check of a new text: raises where LiteLLM's proxy would not serve it.

    Attributes:
        notes: aliases that were dead before and stay so, after the check.
    """

    settings: Settings
    budget_seconds: float = PROVE_SECONDS
    notes: list[str] = field(default_factory=list)

    def __call__(self, content: bytes) -> None:
        """Start the proxy on `content` and call every alias.

        Raises:
            ConfigRefused: it is not ready in time, lists less, or an alias is dead.
            LaunchError: there is no litellm, or it could not be started.
        """
        ends_at = time.monotonic() + self.budget_seconds
        litellm = find_litellm(None, self.settings.environ)
        port = free_port()
        new = read_promised(self.settings, content)
        with beside(self.settings.config_path, content) as path:
            argv = [str(litellm), "--config", str(path), "--host", "127.0.0.1"]
            argv += ["--port", str(port), "--num_workers", "1"]
            child = ProxyChild(argv, variables(self.settings.environ, path, ()), silent=True)
            try:
                if not child.ready("127.0.0.1", port, ends_at - time.monotonic()):
                    how = "ended" if child.ended.is_set() else "was not ready"
                    raise _refused(
                        f"LiteLLM {how} on the new config within {self.budget_seconds:g} s.",
                        "see `rollcall apply --validate`, or give it longer with --prove-budget",
                    )
                report = _smoked(self.settings, f"http://127.0.0.1:{port}", new, ends_at)
            finally:
                child.end(END_SECONDS)
        self._judge(report, new)

    def _judge(self, report: SmokeReport, new: Promised) -> None:
        if report.verdict not in (SmokeVerdict.OK, SmokeVerdict.DEAD):
            raise _refused(report.detail, report.hint or "see `rollcall smoke`")
        if report.missing:
            names = ", ".join(report.missing[:8])
            raise _refused(
                f"LiteLLM's proxy would not list {names}.", "`rollcall doctor` looks for why"
            )
        same = _unchanged(read_promised(self.settings).data, new.data)
        dead = {row.name: row.detail for row in report.rows if row.ok is False}
        for name, detail in dead.items():
            if name not in same:
                raise _refused(
                    f"Through LiteLLM's proxy, {name} would be dead: {detail.rstrip('.')}.",
                    "see what the provider says; `rollcall explain` tells where the name leads",
                )
        self.notes += [f"{name} is dead, before and after: {why}" for name, why in dead.items()]


def _unchanged(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    """The aliases that lead to the same entries in both."""

    def leads(data: dict[str, Any]) -> dict[str, list[Any]]:
        rows = [row for row in data.get("model_list") or [] if isinstance(row, dict)]
        return {
            name: [row for row in rows if row.get("model_name") == alias.target]
            for name, alias in view(data).aliases.items()
        }

    before = leads(old)
    return {name for name, rows in leads(new).items() if before.get(name) == rows}


def _smoked(settings: Settings, url: str, config: Promised, ends_at: float) -> SmokeReport:
    left = max(1.0, ends_at - time.monotonic())
    options = SmokeOptions(timeout_seconds=left, secrets=secrets_of(settings.environ))
    return run_smoke(url, proxy_key(settings, config.data), config.view, options)


def _refused(what: str, hint: str) -> ConfigRefused:
    return ConfigRefused(what, f"config.yaml was left as it is; {hint}.", reason="not_proven")


@dataclass
class RunningProof:
    """What a running proxy answers before a change, to be compared with what it answers after."""

    settings: Settings
    url: str
    budget_seconds: float = PROVE_SECONDS
    answered: set[str] = field(default_factory=set)

    def __call__(self, content: bytes) -> None:
        """As a check of a new text, before it is written: note which aliases answer now."""
        present = read_promised(self.settings)
        report = _smoked(self.settings, self.url, present, time.monotonic() + 60)
        kept = read_promised(self.settings, content).view.aliases
        self.answered = {row.name for row in report.rows if row.ok and row.name in kept}

    def dead_after(self) -> dict[str, str]:
        """Which of the aliases that answered are dead, and why, once it has had time to restart."""
        ends_at = time.monotonic() + self.budget_seconds
        config = read_promised(self.settings)
        while True:
            report = _smoked(self.settings, self.url, config, ends_at)
            rows = {row.name: row for row in report.rows}
            dead = {
                name: rows[name].detail if name in rows else report.detail or "not called"
                for name in sorted(self.answered)
                if name not in rows or rows[name].ok is False
            }
            if not dead and not report.missing and report.ready:
                return {}
            if time.monotonic() + AGAIN_SECONDS >= ends_at:
                return dead
            time.sleep(AGAIN_SECONDS)
