"""A folder with a policy and a config, simulated providers, and the command line run in it."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import yaml

from rollcall.__main__ import run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.simulator.simulator import Simulator

OWN = """\
# mine
model_list:
  - model_name: my-local-model        # written by hand
    litellm_params:
      model: ollama/llama3.3
      api_key: sk-my-own-secret-1234567890

general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""

START = date(2026, 11, 20)

RULES = """
allow:
  - {family: claude-haiku, from: [anthropic], newest: 1}
  - {match: [grok-4.5, grok-4.6], from: [xai]}
aliases:
  default: {family: claude-haiku}
"""
"""For two providers, anthropic and xai."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All it said."""
        return self.out + self.err

    def json(self) -> Any:
        """Its result as data."""
        return json.loads(self.out)


class House:
    """Where a user's files live, and what they type."""

    def __init__(self, folder: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.sim = sim
        self.monkeypatch = monkeypatch
        self.config = folder / "config.yaml"
        self.policy = folder / "policy.yaml"
        self.config.write_text(OWN, encoding="utf-8")
        monkeypatch.chdir(folder)
        for name, value in sim.environ().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("ROLLCALL_FORCE_TTY", "yes")  # what a person sees, without colours
        monkeypatch.setenv("NO_COLOR", "1")
        self.on(START)

    def furnish(self) -> House:
        """A policy of a few rules for two of the providers."""
        self.write_policy(RULES, "anthropic", "xai")
        return self

    def on(self, day: date) -> None:
        """Set the clock of every following run to noon of `day`."""
        noon = datetime(day.year, day.month, day.day, 12).astimezone()
        self.monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(noon.timestamp())))

    def later(self, days: int) -> None:
        """Set the clock so many days after the start."""
        self.on(START + timedelta(days=days))

    def write_policy(self, text: str, *providers: str, hanging: str = "") -> None:
        """Write a policy whose `providers:` are the simulated ones named.

        They get all the time in the world, but for one that hangs: a busy machine must not look
        like a sick provider.
        """
        rows = self.sim.provider_policy(*providers)
        if hanging:
            rows[hanging]["timeout"] = "300ms"
        patience = (
            {} if "defaults:" in text else {"defaults": {"timeout": "30s", "deadline": "60s"}}
        )
        head = yaml.safe_dump({"version": 1, **patience, "providers": rows})
        self.policy.write_text(head + text, encoding="utf-8")

    def run(self, *args: str) -> Ran:
        """Type `rollcall ARGS`."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(list(args))
        return Ran(code, out.getvalue(), err.getvalue())

    def applied(self, *args: str) -> Ran:
        """Apply, and expect it to work."""
        ran = self.run("apply", *args)
        assert ran.code == 0, ran.text
        return ran

    def data(self) -> dict[str, Any]:
        """config.yaml as LiteLLM loads it."""
        loaded = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        assert isinstance(loaded, dict)
        return loaded

    def entries(self) -> dict[str, dict[str, Any]]:
        """Our entries by name."""
        return {
            entry["model_name"]: entry
            for entry in self.data()["model_list"]
            if (entry.get("model_info") or {}).get("managed_by") == "rollcall"
        }

    def names(self) -> list[str]:
        """Our model_names, in file order."""
        return list(self.entries())

    def aliases(self) -> dict[str, Any]:
        """The alias map."""
        found = (self.data().get("router_settings") or {}).get("model_group_alias") or {}
        assert isinstance(found, dict)
        return found

    def keys(self) -> list[str]:
        """The simulated keys, which no output may ever hold."""
        return [os.environ[name] for name in self.sim.environ() if name in os.environ]
