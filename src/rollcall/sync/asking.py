"""Whom a run asks, and with which keys; and what to tell a person about those it could not ask."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rollcall.catalog.model import Answer, Verdict
from rollcall.errors import SettingsError
from rollcall.litellm_config.effective import config_variables
from rollcall.providers.builtin import BUILTIN, Provider, find_key, missing_key
from rollcall.providers.fetch import Target
from rollcall.providers.own_proxy import leads_to_the_proxy
from rollcall.providers.registry import resolve_provider
from rollcall.secrets import key_problem, variable_of
from rollcall.settings import Mode, given, source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.litellm_config.document import ConfigDocument
    from rollcall.policy.schema import Policy, ProviderPolicy, StaticModel
    from rollcall.settings import Settings


@dataclass(frozen=True, slots=True)
class ProviderKeys:
    """The providers of a run and what is known of their keys.

    Attributes:
        providers: resolved, in the policy's order. key_envs: provider -> the variable its entries
            name; None = no key needed. keys: provider -> value, for those that have one.
        elsewhere: provider -> where LiteLLM itself gets the key we do not have.
        proxied: provider -> why its address or key is the proxy's own: it is not asked.
        odd: provider -> what its key's variable holds that no key does, a sentence without a stop.
    """

    providers: dict[str, Provider]
    key_envs: dict[str, str | None]
    keys: dict[str, str] = field(repr=False)
    elsewhere: dict[str, str]
    proxied: dict[str, str] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every key value, to be redacted wherever it turns up."""
        return tuple(self.keys.values())


def find_keys(policy: Policy, settings: Settings, document: ConfigDocument) -> ProviderKeys:
    """Resolve the policy's providers against the environment.

    Raises:
        PolicyError: a provider that is not known. SettingsError: `--provider` names no provider.
    """
    providers = {
        name: provider_of(name, row, settings.environ) for name, row in policy.providers.items()
    }
    for name in settings.only_providers:
        if name not in providers:
            known = ", ".join(providers)
            raise SettingsError(f"--provider {name}: not in the policy.", f"It has: {known}.")
    found = {name: find_key(row, settings.environ) for name, row in providers.items()}
    return ProviderKeys(
        providers=providers,
        key_envs={name: _named_variable(row, found[name]) for name, row in providers.items()},
        keys={name: key[1] for name, key in found.items() if key},
        elsewhere={
            name: where
            for name, row in providers.items()
            if not found[name] and (where := _elsewhere(row, document.data))
        },
        proxied={
            name: why
            for name, row in providers.items()
            if (why := leads_to_the_proxy(row, found[name], settings.environ))
        },
        odd={
            name: f"{source(settings.environ, key[0])} {problem}, which LiteLLM would send along"
            for name, key in found.items()
            if key and (problem := key_problem(settings.environ[key[0]]))
        },
    )


def provider_of(name: str, row: ProviderPolicy, environ: Mapping[str, str]) -> Provider:
    """A provider as the policy describes it.

    Raises:
        PolicyError: it is not known, or its address is none.
    """
    said_key = "key_env" in row.model_fields_set
    return resolve_provider(
        name,
        type=row.type,
        base_url=row.base_url,
        key_env=row.key_env if said_key else ...,
        litellm_prefix=row.litellm_prefix,
        empty_ok=None if row.empty is None else row.empty == "ok",
        timeout_seconds=row.timeout,
        price_unit=row.price_unit,
        created=row.created,
        models=[_row(model) for model in row.models],
        environ=environ,
    )


def _row(model: StaticModel) -> dict[str, object]:
    """What the policy says of a model without a list, as OpenAI's list would have it."""
    flags = {"tools": "supports_tools", "structured_output": "supports_structured_output"}
    prices = {"input": model.input_price, "output": model.output_price, "unit": "1M"}
    return {
        "id": model.id,
        "context_length": model.context,
        "max_output_tokens": model.max_output,
        "pricing": {key: value for key, value in prices.items() if value is not None},
        "created": model.released.isoformat() if model.released else None,
        "shutdown_date": model.ends.isoformat() if model.ends else None,
        **{flags.get(word, f"supports_{word}"): True for word in model.capabilities},
    }


def _named_variable(provider: Provider, key: tuple[str, str] | None) -> str | None:
    """The variable an entry of a provider names; None = none, or LiteLLM reads it by itself."""
    if key is None:
        return provider.key_env[0] if provider.needs_key else None
    return None if key[0] in provider.unwritten else key[0]


def _elsewhere(provider: Provider, data: Mapping[str, object]) -> str | None:
    """Where LiteLLM gets a key that is not in the environment, if config.yaml says so."""
    if there := given(config_variables(data), *provider.key_env):
        return f"{there.name} is set in config.yaml's environment_variables"
    general = data.get("general_settings")
    system = general.get("key_management_system") if isinstance(general, dict) else None
    if system and provider.needs_key:
        return f"LiteLLM may read it from {str(system)[:40]} (key_management_system)"
    return None


def whom_to_ask(keys: ProviderKeys, policy: Policy, settings: Settings) -> list[Target]:
    """Those worth asking: with a key, without need of one, or with a list that is public."""
    return [
        target_of(provider, keys.keys.get(name), policy, settings, keys.elsewhere.get(name))
        for name, provider in keys.providers.items()
        if (refusal := _not_asked(keys, settings, provider)) is None
        or (refusal.verdict is Verdict.NO_KEY and provider.public_list)
    ]


def target_of(
    provider: Provider,
    key: str | None,
    policy: Policy,
    settings: Settings,
    key_elsewhere: str | None = None,
) -> Target:
    """A provider to ask, with the time it has: a flag's, else its own, else everybody's."""
    seconds = settings.timeout_seconds or provider.timeout_seconds or policy.defaults.timeout
    return Target(provider, key, seconds, key_elsewhere)


def deadline_of(policy: Policy, settings: Settings) -> float:
    """Seconds a run has for asking, and for calling models: a flag's, else the policy's."""
    return settings.deadline_seconds or policy.defaults.deadline


def every_answer(
    keys: ProviderKeys, settings: Settings, answers: Iterable[Answer]
) -> dict[str, Answer]:
    """Every provider's answer, in the policy's order; those not asked say why."""
    given = {answer.provider: answer for answer in answers}
    for name, answer in given.items():
        if answer.verdict is Verdict.AUTH:
            given[name] = replace(answer, detail=answer.detail + _its_key(keys, settings, name))
    return {
        name: given.get(name)
        or _not_asked(keys, settings, provider)
        or Answer(name, Verdict.NOT_ASKED, detail="no stored reply to decide from")
        for name, provider in keys.providers.items()
    }


def _its_key(keys: ProviderKeys, settings: Settings, name: str) -> str:
    """Where a refused key stands, if in a `.env`: one may not know which was read."""
    found = find_key(keys.providers[name], settings.environ)
    where = source(settings.environ, found[0]) if found else ""
    return f" (the key is {where})" if found and where != found[0] else ""


def _not_asked(keys: ProviderKeys, settings: Settings, provider: Provider) -> Answer | None:
    """The answer of a provider that this run does not ask; None where it may. The modes `subagents`
    and `legacy` ask OpenRouter only.
    """
    name = provider.name
    if settings.only_providers and name not in settings.only_providers:
        return Answer(name, Verdict.NOT_ASKED, detail="not selected by --provider")
    if settings.mode is not Mode.ORCHESTRATOR and not provider.is_openrouter:
        return Answer(name, Verdict.NOT_ASKED, detail=f"not asked in mode {settings.mode}")
    if name in keys.proxied:
        return Answer(name, Verdict.NOT_ASKED, detail=keys.proxied[name])
    if provider.needs_key and name not in keys.keys:
        detail = missing_key(provider, keys.elsewhere.get(name))
        return Answer(name, Verdict.NO_KEY, detail=detail)
    return None


def unset_variables(entry: object, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables a hand-written entry needs for a call and nobody sets.

    What it names in its litellm_params, and the key of a provider that it names none for. Where
    the key it names is unset, LiteLLM takes the provider's usual one.
    """
    params = entry.get("litellm_params") if isinstance(entry, dict) else None
    if not isinstance(params, dict):
        return ()
    prefix = str(params.get("model", "")).partition("/")[0]
    row = next((one for one in BUILTIN.values() if one.litellm_prefix == prefix), None)
    usual = row is not None and bool(find_key(row, environ))
    missing = []
    for name, value in params.items():
        variable = variable_of(value)
        if variable and not environ.get(variable) and not (name == "api_key" and usual):
            missing.append(variable)
    keyed = {"api_key", "litellm_credential_name", "api_base"} & params.keys()
    if row is not None and row.needs_key and not usual and not keyed:
        missing.append(row.key_env[0])
    return tuple(missing)
