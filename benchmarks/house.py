"""A user's folder: policy, config, state; and the commands that run in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.process import ROOT, Command, python, rollcall, run
from benchmarks.providers import Providers

OWN = """\
# mine
model_list:
  - model_name: my-local-model        # written by hand
    litellm_params:
      model: ollama/llama3.3

general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


@dataclass(frozen=True, slots=True)
class House:
    """The folder and the providers it asks."""

    folder: Path
    providers: Providers
    environ: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def config(self) -> Path:
        """config.yaml."""
        return self.folder / "config.yaml"

    def rollcall(self, *args: str, codes: tuple[int, ...] = (0,)) -> Command:
        """`rollcall ARGS` in this folder."""
        return Command(rollcall(*args), self.folder, self._variables, codes)

    def floor(self, name: str, *args: str) -> Command:
        """One of the scripts in benchmarks/floors."""
        script = ROOT / "benchmarks" / "floors" / f"{name}.py"
        return Command(python(str(script), *args), self.folder, self._variables)

    def module(self, name: str, *args: str) -> Command:
        """`python -m NAME ARGS` in this folder."""
        return Command(python("-m", name, *args), self.folder, self._variables)

    def restore(self, text: str = OWN) -> None:
        """A config.yaml that rollcall has never seen, and no state."""
        self.config.write_text(text, encoding="utf-8", newline="\n")
        shutil.rmtree(self.folder / ".rollcall", ignore_errors=True)

    @property
    def _variables(self) -> dict[str, str]:
        return {**self.providers.environ, **self.environ}


def build(
    folder: Path,
    providers: Providers,
    *,
    rules: Iterable[Mapping[str, Any]] | None = None,
    config: str = OWN,
    max_models: int = 100,
    only: tuple[str, ...] = (),
) -> House:
    """A folder with the shipped policy (or `rules`) over the simulated providers.

    JSON is YAML, so the policy is written without a YAML library: this process stays small, as a
    child's peak memory can never read lower than its parent's.
    """
    folder.mkdir(parents=True)
    rows = {name: row for name, row in providers.policy().items() if not only or name in only}
    head = {"version": 1, "providers": rows, "guards": {"max_models": max_models}}
    if rules is not None:
        text = json.dumps({**head, "allow": list(rules)}, indent=1)
    else:
        text = json.dumps(head["providers"])
        shipped = (ROOT / "policy.yaml").read_text(encoding="utf-8")
        before, _, rest = shipped.partition("\nproviders:")
        text = f"{before}\nproviders: {text}\nallow:{rest.partition(chr(10) + 'allow:')[2]}"
    (folder / "policy.yaml").write_text(text, encoding="utf-8", newline="\n")
    urls = {"urls": providers.urls, "environ": providers.environ}
    (folder / "providers.json").write_text(json.dumps(urls), encoding="utf-8", newline="\n")
    house = House(folder, providers)
    house.restore(config)
    return house


def applied(house: House) -> House:
    """The same, with one apply done."""
    run(house.rollcall("apply", "-q"))
    return house
