"""`rollcall demo`: the whole job on loopback, with simulated providers, no key, no network.

Every step is the real command in a process of its own, in a temporary folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall.report.text import out
from rollcall.simulator.faults import Fault
from rollcall.simulator.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Mapping


CONFIG = """\
# The proxy of our team. Everything outside rollcall's markers stays as it is.
model_list:
  - model_name: my-local-model        # written by hand
    litellm_params:
      model: ollama/llama3.3
      api_base: http://127.0.0.1:11434

general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""

POLICY = """\
version: 1
providers:
{providers}
allow:
  - {{family: claude-sonnet, from: [anthropic], newest: 1, name: "{{id}}"}}
  - {{family: claude-haiku, from: [anthropic], newest: 1, name: "{{id}}"}}
  - {{family: gemini-flash, from: [gemini], newest: 1}}
  - {{family: grok, from: [xai], newest: 1}}
  - {{family: claude-sonnet, from: [openrouter], newest: 1}}
aliases:
  default: {{family: claude-haiku}}
  claude: {{family: claude-sonnet, from: [anthropic, openrouter], fallbacks: [claude-fallback]}}
  claude-fallback: {{family: claude-sonnet, from: [openrouter]}}
  cheap: {{cheapest: {{context: ">= 100000"}}}}
"""

BROKEN = "gemini"
"""The provider that fails half-way through."""


def run_demo() -> int:
    """Tell and do the whole job; returns the exit code of the step that failed, else 0."""
    with tempfile.TemporaryDirectory(prefix="rollcall-demo-") as name, Simulator() as sim:
        folder = Path(name)
        environ = _environment(sim)
        _write_files(folder, sim)
        return _Story(folder, environ, sim).tell()


def _environment(sim: Simulator) -> dict[str, str]:
    """This process's environment without its own keys, with the simulated ones."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith(("_KEY", "_API_BASE", "_BASE_URL"))
        and not name.startswith(("ROLLCALL_", "LITELLM_"))
    }
    return {**kept, **sim.environ(), "PYTHONUTF8": "1"}


def _write_files(folder: Path, sim: Simulator) -> None:
    providers = "\n".join(
        f"  {name}: {{base_url: {row['base_url']}}}"
        for name, row in sim.provider_policy("anthropic", "gemini", "xai", "openrouter").items()
    )
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY.format(providers=providers), encoding="utf-8")


class _Story:
    """The steps, one after the other; the first that goes wrong ends it."""

    def __init__(self, folder: Path, environ: Mapping[str, str], sim: Simulator) -> None:
        self.folder = folder
        self.environ = environ
        self.sim = sim

    def tell(self) -> int:
        self._say("A config.yaml written by hand, a policy, and four providers on loopback.")
        self._show("config.yaml")
        steps = (
            ("What would change, and why? Nothing is written yet.", ["plan"]),
            ("Write it.", ["apply"]),
        )
        for text, command in steps:
            self._say(text)
            if code := self._rollcall(command):
                return code
        self._show("config.yaml")
        self._say(f"{BROKEN} now answers every request with an error page. Apply again.")
        before = self._config()
        self.sim.fault(BROKEN, Fault.HTML)
        if code := self._rollcall(["apply"]):
            return code
        if self._config() != before:
            self._say("Something was lost: this is a bug.")
            return 70
        self._say("Not a byte of config.yaml changed: nothing was lost.")
        self.sim.heal(BROKEN)
        self._say("Go back to where we came from.")
        if code := self._rollcall(["rollback"]):
            return code
        if self._config() != CONFIG.encode():
            self._say("The old file did not come back: this is a bug.")
            return 70
        self._say("config.yaml is what it was, to the byte.")
        return 0

    def _say(self, text: str) -> None:
        out()
        out(f"=== {text}")

    def _show(self, name: str) -> None:
        out()
        out(f"--- {name}")
        out((self.folder / name).read_text(encoding="utf-8").rstrip("\n"))

    def _config(self) -> bytes:
        return (self.folder / "config.yaml").read_bytes()

    def _rollcall(self, args: list[str]) -> int:
        out()
        out(f"$ rollcall {' '.join(args)}")
        sys.stdout.flush()
        done = subprocess.run(  # noqa: S603 - our own command, fixed words
            [sys.executable, "-m", "rollcall", *args],
            cwd=self.folder,
            env=dict(self.environ),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        out(done.stdout.rstrip("\n"))
        return done.returncode
