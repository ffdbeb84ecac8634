"""Reads and asks whatever a plan is made from: policy, config.yaml, state, keys, providers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rollcall.catalog.model import Answer, Model, Verdict
from rollcall.errors import NoPolicy, PolicyError
from rollcall.files import AS_UTF_8, NotUTF8, read_regular, text_of
from rollcall.litellm_config.document import parse
from rollcall.litellm_config.entries import key_of
from rollcall.litellm_config.refusals import naming_config
from rollcall.plan.inputs import Inputs
from rollcall.policy.file import default_policy, load_policy
from rollcall.providers import fetch
from rollcall.providers.answers import for_display, known_answer
from rollcall.settings import Mode, stamp
from rollcall.startup import while_waiting
from rollcall.store.freshness import policy_digest
from rollcall.store.includes import including_file, load
from rollcall.store.memory import FACTS
from rollcall.store.picks import read_picked
from rollcall.sync.asking import (
    deadline_of,
    every_answer,
    find_keys,
    unset_variables,
    whom_to_ask,
)
from rollcall.sync.facts import FactLists, models_of_interest
from rollcall.sync.trial import remembered_trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rollcall.litellm_config.document import ConfigDocument
    from rollcall.policy.schema import Policy
    from rollcall.providers.builtin import Provider
    from rollcall.providers.fetch import Target
    from rollcall.settings import Settings
    from rollcall.store.state import State
    from rollcall.store.store import Store
    from rollcall.sync.asking import ProviderKeys


@naming_config
def gather(
    settings: Settings,
    store: Store,
    observer: fetch.Observer | None = None,
) -> Inputs:
    """Read the files and ask the providers.

    Raises:
        PolicyError, ConfigRefused, StoreError, SettingsError: see their docstrings.
    """
    content, policy = read_policy(settings)
    pick, picked = read_pick(settings)
    document = parse(store.read_config())
    state, notes = store.memory.read_state()
    keys = find_keys(policy, settings, document)
    lists = FactLists(policy, settings, store.memory.read(FACTS))
    if settings.offline:
        given = _stored(store, whom_to_ask(keys, policy, settings))
    else:
        meanwhile = (*while_waiting(), lists.prepare)
        given = _asked(settings, policy, keys, observer, meanwhile)
    answers = every_answer(keys, settings, given)
    recorded = lists.say_of(models_of_interest(answers.values(), document))
    text = content.decode("utf-8", "replace")
    accepted = {*settings.accept, *state.accepted, *((picked,) if picked else ())}
    return Inputs(
        policy=_careful(policy, settings),
        policy_text=text,
        policy_sha256=policy_digest(content, pick),
        old_policy=_old_policy(state, text),
        picked=picked,
        document=document,
        config_version=store.version,
        included=included_data(store, document),
        included_by=_included_by(settings, policy, document),
        providers=keys.providers,
        key_envs=keys.key_envs,
        with_key=frozenset(keys.keys),
        keyed_elsewhere=keys.elsewhere,
        answers=answers,
        previous=_previous(store, keys, document, answers),
        state=state,
        now=settings.now,
        mode=settings.mode,
        force=settings.force,
        accepted=frozenset(accepted),
        accepting=frozenset(settings.accept),
        unset=_unset(document, settings),
        recorded=recorded.sources,
        facts_to_keep=recorded.kept,
        trials=remembered_trials(state, policy, keys.providers, settings.environ),
        notes=(
            *notes,
            *_odd_variables(settings, keys),
            *recorded.notes,
            *_other_policy(settings, content),
        ),
    )


def _asked(
    settings: Settings,
    policy: Policy,
    keys: ProviderKeys,
    observer: fetch.Observer | None = None,
    meanwhile: Iterable[Callable[[], object]] = (),
) -> tuple[Answer, ...]:
    return fetch.ask_all(
        whom_to_ask(keys, policy, settings),
        deadline_seconds=deadline_of(policy, settings),
        fetched_at=stamp(settings),
        observer=observer,
        secrets=keys.secrets,
        meanwhile=meanwhile,
    )


def _careful(policy: Policy, settings: Settings) -> Policy:
    """The policy; where variables of `.env` were left out, a key may be among them, and for want of
    it nothing is taken out.
    """
    return policy.model_copy(update={"missing_key": "keep"}) if settings.left_out else policy


def _odd_variables(settings: Settings, keys: ProviderKeys) -> Iterator[str]:
    yield from (f"{row.where}: {row.what} {row.fix}" for row in settings.left_out)
    yield from (f"{odd}: set it to the bare key." for odd in keys.odd.values())
    keyless = {*keys.providers} - {*keys.keys, *keys.elsewhere}
    wanted = {name for keyless_one in keyless for name in keys.providers[keyless_one].key_env}
    if wanted and (unread := settings.unread) and wanted.intersection(unread.names):
        yield f"{unread.what} {unread.fix}"


def _unset(document: ConfigDocument, settings: Settings) -> dict[int, tuple[str, ...]]:
    """Index in `own_models` -> the variables that entry needs and nobody sets."""
    entries = enumerate(document.own_models)
    unset = {index: unset_variables(entry, settings.environ) for index, entry in entries}
    return {index: names for index, names in unset.items() if names}


def _other_policy(settings: Settings, content: bytes) -> Iterator[str]:
    """Which of two policies counts, where they differ."""
    other = settings.other_policy
    if other is None or settings.mode is Mode.LEGACY:
        return
    try:
        differs = read_regular(other) != content
    except OSError:
        differs = False
    if differs:
        yield f"{settings.policy_path} counts, beside config.yaml; {other} does not"


def _stored(store: Store, targets: Iterable[Target]) -> tuple[Answer, ...]:
    """What the last good replies say: the same adapters over the stored bodies."""
    return tuple(
        replace(for_display(target, answer), offline=True)
        for target in targets
        if (answer := stored_answer(store, target.provider))
    )


def ask_policy(settings: Settings, policy: Policy, document: ConfigDocument) -> list[Answer]:
    """What the providers of a policy say now; only those that answered well."""
    answers = _asked(settings, policy, find_keys(policy, settings, document))
    return [answer for answer in answers if answer.verdict is Verdict.OK]


def _previous(
    store: Store, keys: ProviderKeys, document: ConfigDocument, answers: Mapping[str, Answer]
) -> dict[str, Sequence[Model]]:
    """What providers listed before, of those where a decision may need it: an entry's id is listed
    no more, or OpenRouter, whose prices are compared with, lists nothing now.
    """
    listed = {name: {model.id for model in answers[name].models} for name in answers}
    entries = (*document.managed.models, *document.own_entries)
    ours = [key for entry in entries if (key := key_of(entry)) is not None]
    wanted = {
        key.provider for key in ours if (ids := listed.get(key.provider)) and key.id not in ids
    }
    if ours:
        wanted |= {
            name for name, row in keys.providers.items() if row.is_openrouter and not listed[name]
        }
    return {name: stored_models(store, keys.providers[name]) for name in sorted(wanted)}


def stored_models(store: Store, provider: Provider) -> Sequence[Model]:
    """The provider's models at its last good answer that was kept; none if there is none."""
    answer = stored_answer(store, provider)
    return answer.models if answer else ()


def stored_answer(store: Store, provider: Provider) -> Answer | None:
    """The provider's last good answer that was kept; None if there is none."""
    return known_answer(provider, store.memory.read_replies(provider.name))


def included_data(store: Store, document: ConfigDocument) -> dict[str, dict[str, Any]]:
    """The included files' names and data; LiteLLM appends their lists, and takes any other
    section of theirs instead of config.yaml's.
    """
    found = {name: load(content) for name, content in store.included_texts(document.data)}
    return {name: data for name, data in found.items() if isinstance(data, dict)}


def _included_by(settings: Settings, policy: Policy, document: ConfigDocument) -> str:
    """The file that includes this one, where a section that we create here would replace its own;
    "" where none is known to.
    """
    if policy.aliases == {} or not document.raw or "router_settings" in document.data:
        return ""
    path = including_file(settings.config_path)
    return path.name if path else ""


def _old_policy(state: State, text: str) -> Policy | None:
    """The policy of the last apply; None where it is not remembered, or works no more."""
    if state.policy_text is None or state.policy_text == text:
        return None
    try:
        return load_policy(state.policy_text, "the policy of the last apply")
    except PolicyError:
        return None


def read_policy(settings: Settings) -> tuple[bytes, Policy]:
    """The policy file's bytes and what they say; legacy mode needs no file.

    Raises:
        PolicyError: missing, unreadable or wrong.
    """
    content = read_policy_bytes(settings)
    if settings.mode is Mode.LEGACY:
        return content, default_policy()
    try:
        text = text_of(content)
    except NotUTF8 as error:
        raise PolicyError(error.said_of(settings.policy_path), AS_UTF_8) from None
    return content, load_policy(text, str(settings.policy_path))


def read_policy_bytes(settings: Settings) -> bytes:
    if settings.mode is Mode.LEGACY:
        return b""
    try:
        return read_regular(settings.policy_path)
    except FileNotFoundError:
        raise NoPolicy(
            f"There is no policy at {settings.policy_path}.",
            "Write a first one with `rollcall init`, or name yours with --policy.",
        ) from None
    except OSError as error:
        raise PolicyError(
            f"{settings.policy_path} cannot be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from None


def read_pick(settings: Settings) -> tuple[bytes, str | None]:
    """The bytes of a person's pick and the `provider/id` it names; legacy mode has none.

    Raises:
        PolicyError: the file cannot be used.
    """
    return (b"", None) if settings.mode is Mode.LEGACY else read_picked(settings.policy_path)
