"""What a run reads and asks before it decides: files, state, keys, providers' answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from rollcall import yaml_reading
from rollcall.catalog.model import Answer, Model, Verdict
from rollcall.errors import PolicyError, SettingsError
from rollcall.files import read_regular
from rollcall.litellm_config.document import parse
from rollcall.plan.situation import Situation
from rollcall.policy import schema
from rollcall.providers import fetch
from rollcall.providers.builtin import Provider, find_key
from rollcall.providers.fetch import Target
from rollcall.providers.registry import resolve_provider
from rollcall.settings import Mode, stamp
from rollcall.store.picks import read_picked
from rollcall.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rollcall.litellm_config.document import ConfigDocument
    from rollcall.policy.schema import Policy, ProviderPolicy
    from rollcall.settings import Settings
    from rollcall.store.state import State


@dataclass(frozen=True, slots=True)
class Roll:
    """The providers of a run and what is known of their keys.

    Attributes:
        providers: resolved, in the policy's order. key_envs: provider -> the variable its entries
            name; None = no key needed. keys: provider -> value, for those that have one.
        elsewhere: provider -> where LiteLLM itself gets the key we do not have.
    """

    providers: dict[str, Provider]
    key_envs: dict[str, str | None]
    keys: dict[str, str] = field(repr=False)
    elsewhere: dict[str, str]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every key value, to be redacted wherever it turns up."""
        return tuple(self.keys.values())


def read_roll(policy: Policy, settings: Settings, document: ConfigDocument) -> Roll:
    """Resolve the policy's providers against the environment.

    Raises:
        PolicyError: a provider that is not known. SettingsError: `--provider` names no provider.
    """
    providers = {
        name: _resolve(name, row, settings.environ) for name, row in policy.providers.items()
    }
    for name in settings.only_providers:
        if name not in providers:
            known = ", ".join(providers)
            raise SettingsError(f"--provider {name}: not in the policy.", f"It has: {known}.")
    found = {name: find_key(row, settings.environ) for name, row in providers.items()}
    key_envs = {
        name: _written_env(row, key[0]) if (key := found[name]) else _default_env(row)
        for name, row in providers.items()
    }
    return Roll(
        providers=providers,
        key_envs=key_envs,
        keys={name: key[1] for name, key in found.items() if key},
        elsewhere={
            name: where
            for name, row in providers.items()
            if not found[name] and (where := _elsewhere(row, document.data))
        },
    )


def _resolve(name: str, row: ProviderPolicy, environ: Mapping[str, str]) -> Provider:
    said_key = "key_env" in row.model_fields_set
    return resolve_provider(
        name,
        type=row.type,
        base_url=row.base_url,
        key_env=row.key_env if said_key else ...,
        litellm_prefix=row.litellm_prefix,
        empty_ok=None if row.empty is None else row.empty == "ok",
        timeout_seconds=row.timeout,
        environ=environ,
    )


def _written_env(provider: Provider, variable: str) -> str | None:
    return None if variable in provider.unwritten else variable


def _default_env(provider: Provider) -> str | None:
    return provider.key_env[0] if provider.needs_key else None


def _elsewhere(provider: Provider, data: Mapping[str, object]) -> str | None:
    """Where LiteLLM gets a key that is not in the environment, if config.yaml says so."""
    section = data.get("environment_variables")
    if isinstance(section, dict):
        for name in provider.key_env:
            if section.get(name):
                return f"{name} is set in config.yaml's environment_variables"
    general = data.get("general_settings")
    system = general.get("key_management_system") if isinstance(general, dict) else None
    if system and provider.needs_key:
        return f"LiteLLM may read it from {str(system)[:40]} (key_management_system)"
    return None


def asks(settings: Settings, provider: Provider) -> bool:
    """Whether the mode and `--provider` let this run ask a provider: the modes `subagents` and
    `legacy` ask OpenRouter only.
    """
    if settings.mode is not Mode.ORCHESTRATOR and not provider.is_openrouter:
        return False
    return not settings.only_providers or provider.name in settings.only_providers


def targets_to_ask(roll: Roll, policy: Policy, settings: Settings) -> list[Target]:
    """Those worth asking: with a key, without need of one, or with a list that is public."""
    return [
        Target(
            provider,
            roll.keys.get(name),
            settings.timeout_seconds or provider.timeout_seconds or policy.defaults.timeout,
        )
        for name, provider in roll.providers.items()
        if asks(settings, provider)
        and (name in roll.keys or not provider.needs_key or provider.public_list)
    ]


def with_unasked(roll: Roll, settings: Settings, answers: Iterable[Answer]) -> dict[str, Answer]:
    """Every provider's answer, in the policy's order; those not asked say why."""
    given = {answer.provider: answer for answer in answers}
    return {
        name: given[name] if name in given else _unasked(roll, settings, provider)
        for name, provider in roll.providers.items()
    }


def _unasked(roll: Roll, settings: Settings, provider: Provider) -> Answer:
    name = provider.name
    if not asks(settings, provider):
        why = f"not asked in mode {settings.mode}"
        if settings.only_providers:
            why = "not selected by --provider"
        return Answer(name, Verdict.NOT_ASKED, detail=why)
    if provider.needs_key and name not in roll.keys:
        return Answer(name, Verdict.NO_KEY, detail=no_key_detail(roll, provider))
    return Answer(name, Verdict.NOT_ASKED, detail="no stored reply to decide from")


def advice(roll: Roll, answer: Answer) -> str:
    """What a person can do about a provider that could not be asked; "" where nothing is known."""
    provider = roll.providers[answer.provider]
    match answer.verdict:
        case Verdict.AUTH:
            names = " or ".join(provider.key_env)
            where = f" (keys: {provider.key_url})" if provider.key_url else ""
            return f"check {names}{where}" if names else ""
        case Verdict.UNREACHABLE:
            return f"check the network and the base_url of {answer.provider}"
        case Verdict.TIMEOUT:
            return "give it longer with --timeout and --deadline"
        case _:
            return ""


def no_key_detail(roll: Roll, provider: Provider) -> str:
    """What to set to have a provider asked, and where to get it."""
    if provider.name in roll.elsewhere:
        return f"{roll.elsewhere[provider.name]}; rollcall does not read it from there"
    names = " or ".join(provider.key_env)
    return f"set {names}" + (f" (get a key at {provider.key_url})" if provider.key_url else "")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a run has read and been told, before it decides."""

    settings: Settings
    store: Store
    policy: Policy
    policy_bytes: bytes
    picked: str | None
    document: ConfigDocument
    state: State
    roll: Roll
    answers: dict[str, Answer]
    notes: tuple[str, ...]


def gather(
    settings: Settings,
    observer: fetch.Observer | None = None,
    meanwhile: Iterable[Callable[[], object]] = (),
) -> Evidence:
    """Read the files and ask the providers.

    Args:
        meanwhile: short pieces of work to do while the providers think.

    Raises:
        PolicyError, ConfigRefused, StoreError, SettingsError: see their docstrings.
    """
    store = Store(settings.config_path, settings.state_dir)
    policy_bytes, rules = read_policy(settings)
    picked = read_picked(settings.policy_path)[1] if settings.mode is not Mode.LEGACY else None
    document = parse(store.read_config())
    state, notes = store.read_state()
    notes += tuple(f"{row.where}: {row.what} {row.fix}" for row in settings.left_out)
    roll = read_roll(rules, settings, document)
    targets = targets_to_ask(roll, rules, settings)
    if settings.offline:
        answers = tuple(_stored(store, targets, roll))
    else:
        answers = fetch.ask_all(
            targets,
            deadline_seconds=settings.deadline_seconds or rules.defaults.deadline,
            fetched_at=stamp(settings),
            observer=observer,
            secrets=roll.secrets,
            meanwhile=meanwhile,
        )
    answered = with_unasked(roll, settings, answers)
    return Evidence(
        settings, store, rules, policy_bytes, picked, document, state, roll, answered, notes
    )


def _stored(store: Store, targets: Sequence[fetch.Target], roll: Roll) -> Iterator[Answer]:
    """What the last good replies say: the same adapters over the stored bodies."""
    for target in targets:
        reply = store.read_replies(target.provider.name)
        if reply is not None:
            answer = fetch.parse_stored(target, reply[0], fetched_at=reply[1])
            if target.provider.needs_key and target.key is None:
                # A public list, kept for display: without a key it admits nothing.
                detail = no_key_detail(roll, target.provider)
                answer = replace(answer, verdict=Verdict.NO_KEY, detail=detail)
            yield replace(answer, offline=True)


def situate(evidence: Evidence) -> Situation:
    """The evidence as the values a decision is made from."""
    settings, store, roll = evidence.settings, evidence.store, evidence.roll
    picks = (evidence.picked,) if evidence.picked else ()
    return Situation(
        policy=evidence.policy,
        providers=roll.providers,
        answers=evidence.answers,
        document=evidence.document,
        included_names=_included_names(store, evidence.document),
        key_envs=roll.key_envs,
        state=evidence.state,
        old_policy=_old_policy(evidence),
        same_policy=_same_policy(evidence),
        previous_models=partial(stored_models, evidence),
        today=settings.now.date(),
        mode=settings.mode,
        force=settings.force,
        accepted=frozenset(
            (*settings.accept, *evidence.policy.accept, *evidence.state.accepted, *picks)
        ),
        accepting=frozenset(settings.accept),
        keyed_elsewhere=frozenset(roll.elsewhere),
        picked=evidence.picked,
    )


def stored_models(evidence: Evidence, provider: str) -> Sequence[Model]:
    """The provider's models at its last good answer that was kept; none if there is none."""
    reply = evidence.store.read_replies(provider)
    row = evidence.roll.providers.get(provider)
    if reply is None or row is None:
        return ()
    return fetch.parse_stored(fetch.Target(row), reply[0], fetched_at=reply[1]).models


def _included_names(store: Store, document: ConfigDocument) -> frozenset[str]:
    if "include" not in document.data:
        return frozenset()
    names: set[str] = set()
    for content in store.read_includes(document.data):
        names |= _names_in(content)
    return frozenset(names)


def _names_in(content: bytes) -> set[str]:
    """The model_names an included file adds; LiteLLM appends its list to config.yaml's."""
    data = load(content)
    entries = data.get("model_list") if isinstance(data, dict) else None
    rows = entries if isinstance(entries, list) else []
    return {str(row["model_name"]) for row in rows if isinstance(row, dict) and "model_name" in row}


def load(content: bytes) -> object:
    """An included file's data; None where it is no YAML (LiteLLM's own affair)."""
    try:
        return yaml_reading.load(content.decode("utf-8-sig"))
    except yaml_reading.UNREADABLE:
        return None


def _same_policy(evidence: Evidence) -> bool:
    text = evidence.state.policy_text
    return text is not None and text.encode() == evidence.policy_bytes


def _old_policy(evidence: Evidence) -> Policy | None:
    text = evidence.state.policy_text
    if text is None or _same_policy(evidence):
        return None
    try:
        return schema.load_policy(text, "the policy of the last apply")
    except PolicyError:
        return None


def read_policy(settings: Settings) -> tuple[bytes, Policy]:
    """The policy file's bytes and what they say; legacy mode needs no file.

    Raises:
        PolicyError: missing, unreadable or wrong.
    """
    content = read_policy_bytes(settings)
    if settings.mode is Mode.LEGACY:
        return content, schema.default_policy()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(
            f"{settings.policy_path} is not UTF-8 (byte {error.start}).", "Save it as UTF-8."
        ) from None
    return content, schema.load_policy(text, str(settings.policy_path))


def read_policy_bytes(settings: Settings) -> bytes:
    if settings.mode is Mode.LEGACY:
        return b""
    try:
        return read_regular(settings.policy_path)
    except FileNotFoundError:
        raise PolicyError(
            f"There is no policy at {settings.policy_path}.",
            "Write a first one with `rollcall init`, or name yours with --policy.",
        ) from None
    except OSError as error:
        raise PolicyError(
            f"{settings.policy_path} cannot be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from None
