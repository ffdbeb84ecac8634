"""docs/PROVIDERS.md, made from the providers' data and what their simulated lists tell.

python -m tests.providers_page > docs/PROVIDERS.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.providers.builtin import BUILTIN, Provider
from rollcall.providers.fetch import Target, ask_all
from rollcall.providers.registry import resolve_provider
from tests.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.catalog.model import Model

HEAD = """\
# Providers

Whom `providers:` of the policy knows by name; each needs nothing more than `{}`. A variable that
stands first counts first, as in LiteLLM. What a list does not tell comes from other lists where the
policy asks for it (`defaults: {facts: ...}` in [POLICY.md](POLICY.md)).

| name | key | its list tells | LiteLLM's prefix |
|---|---|---|---|
"""
TAIL = """
Anything else that speaks OpenAI's protocol is `type: openai` with a `base_url`; a provider without
a list is `type: static` with its `models`.

**Azure, Bedrock, Vertex AI** deployments are your own: no list names them. Keep them in config.yaml
by hand; rollcall leaves them as they are, and an alias may lead to them.
"""
TELLS = {
    "context": lambda model: model.context,
    "output limit": lambda model: model.max_output,
    "prices": lambda model: model.price.input is not None,
    "abilities": lambda model: model.capabilities,
    "release day": lambda model: model.released,
    "last day": lambda model: model.ends,
}


def listed(simulator: Simulator, provider: Provider) -> Sequence[Model]:
    """What a provider's simulated list comes to."""
    here = resolve_provider(provider.name, base_url=simulator.url(provider.name), environ={})
    target = Target(here, simulator.key(provider.name), 30)
    (answer,) = ask_all([target], deadline_seconds=60, fetched_at="")
    return answer.models


def page() -> str:
    """The whole page."""
    rows = []
    with Simulator() as simulator:
        for name, provider in BUILTIN.items():
            models = listed(simulator, provider)
            told = [word for word, fact in TELLS.items() if any(map(fact, models))]
            keys = " or ".join(f"`{key}`" for key in provider.key_env) or "none"
            title = (
                f"[{provider.title}]({provider.key_url})" if provider.key_url else provider.title
            )
            rows.append(
                f"| `{name}` {title} | {keys} | {', '.join(told) or 'ids only'} "
                f"| `{provider.litellm_prefix}/` |"
            )
    return HEAD + "\n".join(rows) + "\n" + TAIL


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
