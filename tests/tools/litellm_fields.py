"""Writes src/rollcall/litellm_config/litellm_fields.json: the typed fields of LiteLLM's entries.

    python -m tests.tools.litellm_fields          # with the litellm whose table is wanted

The types are those of LiteLLM's own models for `litellm_params`, `model_info`, and the few settings
that have one, read from the installed package. A field whose type this project has no word for is
left out: better no check than a wrong one. tests/test_litellm_matrix.py holds the table against the
running proxy.
"""

from __future__ import annotations

import json
import os
import types
import typing
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

TARGET = Path(__file__).parents[2] / "src/rollcall/litellm_config/litellm_fields.json"

PLAIN: dict[Any, str] = {
    int: "int",
    float: "float",
    bool: "bool",
    str: "str",
    dict: "dict",
    list: "list",
    datetime: "datetime",
}


def word_of(annotation: Any) -> str | None:
    """The word of a type, None where there is none; that of `X | None` is that of X."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        inner = tuple(one for one in inner if one is not type(None))
        if str in inner:  # a text that is one of some words is a text
            inner = tuple(one for one in inner if typing.get_origin(one) is not Literal)
        words = [word_of(one) for one in inner]
        known = sorted({word for word in words if word is not None})
        anything = {"float | str"} if "float" in known and "str" in known else set()
        if None in words and not anything:
            return None
        return "float | str" if anything else " | ".join(known)
    if origin is Literal:
        return "one of " + " ".join(map(str, inner))
    if origin is list and inner in ((str,), (dict[str, Any],)):
        return f"list[{PLAIN[str] if inner == (str,) else PLAIN[dict]}]"
    if origin in (dict, Mapping) and inner in ((str, Any), (str, float)):
        return "dict" if inner == (str, Any) else "dict[float]"
    return None


def fields_of(model: Any) -> dict[str, list[str]]:
    """Word -> the fields of that type, in the order of their names."""
    found: dict[str, list[str]] = {}
    for name, field in sorted(model.model_fields.items()):
        word = word_of(field.annotation)
        if word is not None:
            found.setdefault(word, []).append(name)
    return dict(sorted(found.items()))


def providers() -> list[str]:
    """What may stand before the first slash of a model: providers, and the prompt managers that
    take a model's place.
    """
    import litellm
    from litellm.llms.openai_like.json_loader import JSONProviderRegistry

    found = {getattr(one, "value", one) for one in litellm.provider_list}
    found |= set(JSONProviderRegistry.list_providers())
    found |= set(litellm._known_custom_logger_compatible_callbacks)
    return sorted(str(one) for one in found)


def models() -> list[str]:
    """The names that say no provider, and from which LiteLLM tells it by its own table."""
    import litellm

    litellm.suppress_debug_info = True
    named, found = set(providers()), []
    listed = (litellm.openai_image_generation_models, litellm.openai_video_generation_models)
    for name in {*litellm.model_cost, *(name for names in listed for name in names)}:
        if name.partition("/")[0] not in named or "/" not in name:
            with suppress(litellm.exceptions.BadRequestError):
                litellm.get_llm_provider(name)
                found.append(name)
    return sorted(found)


def routing() -> list[str]:
    """The patterns by which LiteLLM tells the provider of a model that its table does not have."""
    from litellm.litellm_core_utils import fallback_generalizations

    return [rule.pattern.pattern for rule in fallback_generalizations._registry.routing_rules]


def guardrails() -> list[str]:
    """What `guardrails.#.litellm_params.guardrail` may be without being a module's name."""
    from litellm.proxy.guardrails.guardrail_registry import guardrail_initializer_registry

    return sorted(guardrail_initializer_registry)


OTHER_CALLBACKS = (
    "aporia_prompt_injection",
    "azure_content_safety",
    "banned_keywords",
    "batch_redis_requests",
    "blocked_user_check",
    "code_interpreter_interception",
    "compression_interception",
    "datadog_cost_management",
    "detect_prompt_injection",
    "google_text_moderation",
    "hide_secrets",
    "lakera_prompt_injection",
    "llamaguard_moderations",
    "llmguard_moderations",
    "openai_moderations",
    "presidio",
    "websearch_interception",
)
"""Names that `initialize_callbacks_on_proxy` compares with, one after the other."""


def callbacks() -> list[str]:
    """What may stand in `litellm_settings.callbacks` without being a module's name."""
    import litellm

    integrations = Path(litellm.__file__).parent / "integrations"
    compatible = next(integrations.rglob("generic_api_compatible_callbacks.json"))
    named = json.loads(compatible.read_text(encoding="utf-8"))
    return sorted({*litellm._known_custom_logger_compatible_callbacks, *named, *OTHER_CALLBACKS})


def table() -> dict[str, Any]:
    """The whole table, from the installed litellm."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    from litellm import constants
    from litellm.router_strategy import lowest_latency, lowest_tpm_rpm, lowest_tpm_rpm_v2
    from litellm.types.guardrails import GuardrailEventHooks
    from litellm.types.integrations.slack_alerting import SlackAlertingArgs
    from litellm.types.litellm_params import RoutingStrategyName
    from litellm.types.router import LiteLLM_Params, ModelGroupInfo, ModelInfo, RoutingStrategy

    return {
        "litellm": version("litellm"),
        "litellm_params": fields_of(LiteLLM_Params),
        "model_info": fields_of(ModelInfo),
        "model_group": fields_of(ModelGroupInfo),
        "alerting_args": fields_of(SlackAlertingArgs),
        "latency-based-routing": fields_of(lowest_latency.RoutingArgs),
        "usage-based-routing": fields_of(lowest_tpm_rpm.RoutingArgs),
        "usage-based-routing-v2": fields_of(lowest_tpm_rpm_v2.RoutingArgs),
        "providers": providers(),
        "models": models(),
        "routing": routing(),
        "addresses": list(constants.openai_compatible_endpoints),
        "callbacks": callbacks(),
        "guardrails": guardrails(),
        "guardrail_modes": sorted(one.value for one in GuardrailEventHooks),
        "routing_strategies": sorted(
            {*typing.get_args(RoutingStrategyName), *(one.value for one in RoutingStrategy)}
        ),
    }


def text_of(made: dict[str, Any]) -> str:
    """The file's text."""
    return json.dumps(made, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text_of(table()), encoding="utf-8", newline="\n")
    print(f"wrote {TARGET}")  # noqa: T201  a script's result
