"""Small catalogs and one-line decisions for the tests of the policy."""

from __future__ import annotations

import json
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rollcall.catalog.model import Kind, Model, Price
from rollcall.policy import schema
from rollcall.policy.file import load_policy
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.registry import resolve_provider
from rollcall.selection import admission, aliases
from rollcall.selection.choosing import Candidate, Pool
from rollcall.selection.rule import RuleContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TODAY = date(2026, 8, 20)

CORPUS = Path(
    os.environ.get("ROLLCALL_CORPUS", Path(__file__).resolve().parents[1].parent / "shared")
)
"""Real replies of providers, beside the checkout; tests that need them skip without it."""


def price(input_per_million: str, output_per_million: str) -> Price:
    """A price in USD per 1M tokens."""
    return Price(
        input=Decimal(input_per_million) / 10**6, output=Decimal(output_per_million) / 10**6
    )


def model(qualified: str, **facts: Any) -> Model:
    """A model by `provider/id`; the price as `("0.25", "1")` in USD per 1M tokens."""
    provider, _, model_id = qualified.partition("/")
    if "cost" in facts:
        facts["price"] = price(*facts.pop("cost"))
    for day in ("released", "ends"):
        if isinstance(facts.get(day), str):
            facts[day] = date.fromisoformat(facts[day])
    if provider == "anthropic":
        facts.setdefault("maker", "anthropic")
    return Model(
        **{"provider": provider, "id": model_id, "litellm_model": qualified, "kind": Kind.CHAT}
        | facts
    )


def models(*names: str, **facts: Any) -> list[Model]:
    """Several models that share their facts."""
    return [model(name, **facts) for name in names]


def shelves(rows: Iterable[Model]) -> dict[str, list[Model]]:
    """Models by provider."""
    found: dict[str, list[Model]] = {}
    for row in rows:
        found.setdefault(row.provider, []).append(row)
    return found


def load(text: str) -> schema.Policy:
    """A policy from its text; without `providers`, all the tests use are there."""
    if "providers:" not in text:
        text = (
            "providers: {anthropic: {}, openai: {}, gemini: {}, xai: {}, openrouter: {}}\n" + text
        )
    return load_policy(text, "policy.yaml")


def admit(text: str, rows: Iterable[Model], **given: Any) -> admission.Admission:
    """The rules of a policy's text over some models."""
    return admission.admit(RuleContext(load(text), shelves(rows), TODAY, **given))


def ids(outcome: admission.Admission) -> list[str]:
    """`provider/id` of what came in, in output order."""
    return [row.model.qualified for row in outcome.admitted]


def candidate(
    qualified: str, *, name: str | None = None, rule: int = 1, staying: bool = False, **facts: Any
) -> Candidate:
    """An entry an alias may lead to, called `name`, else `provider/id`."""
    row = model(qualified, **facts)
    return Candidate(name or qualified, row, rule, staying)


def lead(
    text: str,
    pool: Sequence[Candidate],
    *,
    own_names: Iterable[str] = (),
    own_aliases: Iterable[str] = (),
    current: Mapping[str, str] | None = None,
    unanswered: Iterable[str] = (),
) -> tuple[dict[str, str | None], tuple[aliases.Resolved, ...], tuple[str, ...]]:
    """Where the aliases of a policy's text lead: alias -> target, and all that was said."""
    choices = Pool(
        load(text),
        tuple(pool),
        TODAY,
        own_names=frozenset((*own_names, *own_aliases)),
        own_aliases=frozenset(own_aliases),
        unanswered=frozenset(unanswered),
    )
    resolved, notes = aliases.resolve(choices, current or {})
    return {row.name: row.target for row in resolved}, resolved, notes


def real_catalog(provider: str, stem: str, folder: str | None = None) -> Sequence[Model]:
    """What a provider really listed on a day, as its adapter reads it."""
    path = next((CORPUS / "catalogs" / (folder or provider)).glob(f"{stem}*.json"))
    page = json.loads(path.read_text(encoding="utf-8"))
    row = resolve_provider(provider, environ={})
    if "count" in page and "data" in page:
        page = {"data": page["data"]}
    return ADAPTERS[row.protocol].parse(row, [page]).models


def real_catalogs() -> dict[str, Sequence[Model]]:
    """The eight providers in August 2026, or the nearest day there is."""
    return {
        "anthropic": real_catalog("anthropic", "2026-08-17"),
        "openai": real_catalog("openai", "2026-08-17"),
        "gemini": real_catalog("gemini", "2026-08-17"),
        "xai": real_catalog("xai", "2026-08-17"),
        "perplexity": real_catalog("perplexity", "2026-08-10"),
        "deepseek": real_catalog("deepseek", "2026-09-26"),
        "qwen": real_catalog("qwen", "2025-02-19", "dashscope"),
        "openrouter": real_catalog("openrouter", "2026-08-21"),
    }
