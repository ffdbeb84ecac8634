"""One managed entry of config.yaml: a model and a rule in, plain data out, and back. Pure.

What LiteLLM does with each field: https://docs.litellm.ai/docs/proxy/config_settings. An unknown
price or limit is left out: LiteLLM would take 0 for "free" and budgets would never fire.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.catalog.model import Model, ModelKey, Price, PriceTier
from rollcall.litellm_config.document import MANAGED_BY, Entry
from rollcall.litellm_config.effective import mapping, text_in
from rollcall.secrets import REFERENCE, is_written_out, variable_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


ID_PREFIX = "rollcall/"

FLAGS = {
    "tools": "supports_function_calling",
    "vision": "supports_vision",
    "reasoning": "supports_reasoning",
    "structured_output": "supports_response_schema",
    "pdf_input": "supports_pdf_input",
    "audio_input": "supports_audio_input",
    "prompt_caching": "supports_prompt_caching",
    "web_search": "supports_web_search",
}
"""Our capability words -> LiteLLM's flags. Only a known yes is written."""

COSTS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
"""Our price fields -> LiteLLM's, USD per token both."""
_STEP = re.compile(rf"({'|'.join(COSTS.values())})_above_([0-9]+)(k?)(?:_tokens)?")

PRICE_SOURCE = "price_source"
"""Our own word in model_info: whose price stands there, where it is not the provider's."""


def entry_of(
    model: Model,
    *,
    name: str,
    key_env: str | None,
    api_base: str | None,
    params: dict[str, Any],
    model_info: dict[str, Any],
    borrowed_price: bool = False,
) -> Entry:
    """The entry of an admitted model.

    Args:
        name: its model_name. key_env: the variable its key comes from; None = no key needed.
        api_base: the address LiteLLM calls, None = LiteLLM's own for that provider.
        params, model_info: what the rule adds; the rule wins over what the provider says, but
            never over the identity of the entry.
        borrowed_price: write the price, and whose it is, though its provider states none. What else
            is borrowed is not written, but for the last day: LiteLLM has its own word for it.
    """
    litellm_params: dict[str, Any] = {"model": model.litellm_model}
    given = {**model.params, **params}
    if key_env is not None and not given.get("litellm_credential_name"):  # a key would win over it
        litellm_params["api_key"] = f"{REFERENCE}{key_env}"
    if api_base is not None:
        litellm_params["api_base"] = api_base
    litellm_params.update(given)
    info: dict[str, Any] = {"id": f"{ID_PREFIX}{model.qualified}", "managed_by": MANAGED_BY}
    if model.display_name:
        info["display_name"] = model.display_name
    if model.mode:
        info["mode"] = model.mode
    others = model.borrowed
    if model.context and "context" not in others:
        info["max_input_tokens"] = model.context
    if model.max_output and "max_output" not in others:
        info["max_output_tokens"] = model.max_output
    if "price" not in others or borrowed_price:
        info.update(_costs(model.price))
    if "price" in others and borrowed_price:
        info[PRICE_SOURCE] = others["price"]
    able = {word for word, yes in model.capabilities.items() if yes and word not in others}
    info.update({flag: True for word, flag in FLAGS.items() if word in able})
    if model.ends is not None:
        info["deprecation_date"] = model.ends.isoformat()
    identity = {"id": info["id"], "managed_by": MANAGED_BY}
    return {
        "model_name": name,
        "litellm_params": litellm_params,
        "model_info": {**info, **model_info, **identity},
    }


def _costs(price: Price) -> dict[str, float]:
    steps: list[tuple[Price | PriceTier, str]] = [(price, "")]
    steps += [
        (tier, f"_above_{_size(tier.above_tokens)}_tokens")
        for tier in price.tiers
        if tier.above_tokens is not None
    ]
    return {
        f"{key}{above}": float(amount)
        for step, above in steps
        for field, key in COSTS.items()
        if (amount := getattr(step, field)) is not None
    }


def _size(tokens: int) -> str:
    """LiteLLM's word for a threshold. "At or above 200,000" is 200k too: it knows only `above`,
    and reliably only round thousands; one token in 200,000 makes no difference.
    """
    rounded = tokens + 1 if (tokens + 1) % 1000 == 0 else tokens
    return f"{rounded // 1000}k" if rounded % 1000 == 0 else str(rounded)


def key_of(entry: Entry) -> ModelKey | None:
    """Whose entry this is, by its `model_info.id`; None when it does not say."""
    identity = section_of(entry, "model_info").get("id")
    if not isinstance(identity, str) or not identity.startswith(ID_PREFIX):
        return None
    provider, _, model_id = identity.removeprefix(ID_PREFIX).partition("/")
    return ModelKey(provider, model_id) if provider and model_id else None


def name_of(entry: Mapping[str, Any]) -> str:
    """The model_name of an entry, ours or the user's, as text."""
    return str(entry.get("model_name"))


def section_of(entry: Mapping[str, Any], section: str) -> dict[str, Any]:
    """`litellm_params` or `model_info` of an entry; {} where it holds no fields."""
    return mapping(entry.get(section))


def by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Entries by their model_name; of two that share one, the last."""
    return {name_of(entry): entry for entry in entries}


def keys_of(entries: Iterable[Entry]) -> frozenset[ModelKey]:
    """The models of those entries that say whose they are."""
    return frozenset(key for entry in entries if (key := key_of(entry)))


def leaves_on(entry: Entry) -> date | None:
    """The day a leaving entry goes, None for one that stays."""
    return day_of(section_of(entry, "model_info").get("leaves"))


def with_leaving_day(entry: Entry, day: date) -> Entry:
    """The same entry, saying the day it goes."""
    return {**entry, "model_info": {**section_of(entry, "model_info"), "leaves": day.isoformat()}}


def called_by(entry: Mapping[str, Any]) -> str | None:
    """The model string an entry calls, ours or the user's; None where it says none."""
    return text_in(section_of(entry, "litellm_params"), "model")


def model_of(entry: Entry) -> Model | None:
    """The model an entry of ours describes, as far as the entry says; None when it is no one's.

    Good enough to match rules and to compare prices when its provider could not be asked.
    """
    key = key_of(entry)
    if key is None:
        return None
    info = section_of(entry, "model_info")
    source = text_of(info.get(PRICE_SOURCE))
    return Model(
        provider=key.provider,
        id=key.id,
        litellm_model=called_by(entry) or "",
        display_name=text_of(info.get("display_name")),
        context=count_of(info.get("max_input_tokens")),
        max_output=count_of(info.get("max_output_tokens")),
        price=price_of(info),
        mode=text_of(info.get("mode")),
        capabilities={word: True for word, flag in FLAGS.items() if info.get(flag) is True},
        ends=day_of(info.get("deprecation_date")),
        borrowed={"price": source} if source else {},
    )


def price_of(info: Mapping[str, Any]) -> Price:
    """The prices a `model_info` states, tiers included."""
    base = {field: amount_of(info.get(key)) for field, key in COSTS.items()}
    by_size: dict[int, dict[str, Decimal | None]] = {}
    for name, value in info.items():
        if found := _STEP.fullmatch(str(name)):
            tokens = int(found[2]) * (1000 if found[3] else 1)
            field = next(field for field, key in COSTS.items() if key == found[1])
            by_size.setdefault(tokens, {})[field] = amount_of(value)
    tiers = tuple(PriceTier(above_tokens=size, **row) for size, row in sorted(by_size.items()))
    return Price(**base, tiers=tiers)


def amount_of(value: object) -> Decimal | None:
    """A number that may be a price, None where it is none: not finite, negative, or a text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    amount = Decimal(repr(value))
    return amount if amount.is_finite() and amount >= 0 else None


def day_of(value: object) -> date | None:
    """A day, as YAML reads it or as text; None where it is none."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def count_of(value: object) -> int | None:
    """A positive whole number, None where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def text_of(value: object) -> str | None:
    """A text that says something, None where it is none."""
    return value if isinstance(value, str) and value else None


class Unkept(Exception):
    """Why no rule of a policy could keep what a hand-written entry says, in a few words."""


class Said(NamedTuple):
    """What a hand-written entry says, in the words a rule has for it.

    Attributes:
        model: `litellm_params.model`. key_env: the variable of its key. api_base: its address.
        params, model_info: everything else.
    """

    model: str
    key_env: str | None
    api_base: str | None
    params: dict[str, Any]
    model_info: dict[str, Any]


def said_by(entry: Mapping[str, Any]) -> Said:
    """What a hand-written entry says.

    Raises:
        Unkept: it holds something that no rule can say.
    """
    params, info = entry.get("litellm_params"), entry.get("model_info") or {}
    model = called_by(entry)
    if not isinstance(params, dict) or not model:
        raise Unkept("it names no model")
    if not isinstance(info, dict):
        raise Unkept("its model_info is no mapping")
    if "id" in info:
        raise Unkept("it has a model_info.id of its own")
    strange = set(entry) - {"model_name", "litellm_params", "model_info"}
    if strange:
        raise Unkept(f"it has {', '.join(sorted(map(str, strange)))} beside litellm_params")
    key, base = params.get("api_key"), params.get("api_base")
    if key is not None and variable_of(key) is None:
        raise Unkept("its api_key is written out: put it into a variable")
    rest = {
        name: value
        for name, value in params.items()
        if name not in ("model", "api_key", "api_base")
    }
    _refuse_unsayable(rest)
    _refuse_unsayable(info)
    return Said(
        model,
        variable_of(key),
        None if base is None else str(base),
        rest,
        dict(info),
    )


def _refuse_unsayable(value: Any, key: str = "") -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_unsayable(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            _refuse_unsayable(inner, key)
    elif not isinstance(value, str | int | float | bool | None):
        raise Unkept(f"{key} is not a plain value")
    elif is_written_out(key, value):
        raise Unkept(f"{key} is written out: put it into a variable")


def lost_in(entry: Mapping[str, Any], managed: Entry) -> list[str]:
    """The fields of a hand-written entry that a managed one would not say, or say otherwise."""
    lost = [str(name) for name in entry if name not in managed]
    for section in ("litellm_params", "model_info"):
        said, kept = entry.get(section), managed[section]
        if isinstance(said, dict):
            lost += [
                str(key) for key, value in said.items() if key not in kept or kept[key] != value
            ]
        elif said is not None:
            lost.append(section)
    return lost
