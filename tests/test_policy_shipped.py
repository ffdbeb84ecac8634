"""The policy.yaml that comes with rollcall is one a person can start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollcall.policy import schema
from rollcall.policy.file import load_policy
from rollcall.selection import admission, aliases
from rollcall.selection.choosing import Candidate, Pool
from rollcall.selection.rule import RuleContext
from tests.policy_making import CORPUS, TODAY, real_catalogs

SHIPPED = Path(__file__).resolve().parents[1] / "policy.yaml"


def shipped() -> schema.Policy:
    return load_policy(SHIPPED.read_text(encoding="utf-8"), "policy.yaml")


def test_it_loads_and_tells_editors_its_schema() -> None:
    first = SHIPPED.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=docs/policy.schema.json"
    assert (SHIPPED.parent / "docs/policy.schema.json").is_file()
    assert shipped().version == 1


def test_it_asks_the_eight_providers_and_has_the_aliases_people_expect() -> None:
    loaded = shipped()
    eight = "anthropic openai gemini xai perplexity deepseek qwen openrouter"
    assert list(loaded.providers) == eight.split()
    names = "default claude claude-strong claude-fallback reasoning cheap kimi glm"
    assert list(loaded.aliases or ()) == names.split()


needs_corpus = pytest.mark.skipif(
    not (CORPUS / "catalogs").is_dir(), reason="the real replies are not beside this checkout"
)


def resolved(providers: set[str]) -> tuple[admission.Admission, dict[str, str | None]]:
    loaded = shipped()
    catalogs = {name: rows for name, rows in real_catalogs().items() if name in providers}
    outcome = admission.admit(RuleContext(loaded, catalogs, TODAY))
    entries = tuple(Candidate(r.name, r.model, r.rule) for r in outcome.admitted)
    rows, _ = aliases.resolve(Pool(loaded, entries, TODAY), {})
    return outcome, {row.name: row.target for row in rows}


@needs_corpus
def test_with_every_key_it_admits_a_few_dozen_models_and_every_alias_leads_somewhere() -> None:
    outcome, targets = resolved(set(shipped().providers))
    assert 20 <= len(outcome.admitted) <= 40
    assert outcome.warnings == ()
    assert {row.model.provider for row in outcome.admitted} == set(shipped().providers)
    assert targets == {
        "default": "claude-haiku-4-5-20251001",
        "claude": "claude-sonnet-5",
        "claude-strong": "claude-opus-5",
        "claude-fallback": "openrouter/anthropic/claude-sonnet-5",
        "reasoning": "claude-opus-5",
        "cheap": "openrouter/deepseek/deepseek-v4-flash-0731",
        "kimi": "openrouter/moonshotai/kimi-k3",
        "glm": "openrouter/z-ai/glm-5.3",
    }


@needs_corpus
def test_with_openrouters_key_alone_every_alias_leads_somewhere() -> None:
    _, targets = resolved({"openrouter"})
    assert None not in targets.values()


@needs_corpus
@pytest.mark.parametrize("provider", ["anthropic", "openai", "gemini", "xai", "deepseek"])
def test_with_any_one_key_there_is_something_to_use(provider: str) -> None:
    outcome, targets = resolved({provider})
    assert outcome.admitted
    assert targets["reasoning"] is not None
