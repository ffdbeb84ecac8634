"""What a run reads and is told before it decides: files, state, providers' answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from rollcall import asking, config_document, fetch, policy, yaml_bounds
from rollcall.catalog import Answer, Model, Verdict
from rollcall.errors import PolicyError
from rollcall.picked import read_picked
from rollcall.regular_file import read_regular
from rollcall.settings import Mode, stamp
from rollcall.situation import Situation
from rollcall.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rollcall.config_document import ConfigDocument
    from rollcall.policy import Policy
    from rollcall.settings import Settings
    from rollcall.state import State


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
    roll: asking.Roll
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
    document = config_document.parse(store.read_config())
    state, notes = store.read_state()
    roll = asking.read_roll(rules, settings, document)
    targets = asking.targets(roll, rules, settings)
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
    answered = asking.with_unasked(roll, settings, answers)
    return Evidence(
        settings, store, rules, policy_bytes, picked, document, state, roll, answered, notes
    )


def _stored(store: Store, targets: Sequence[fetch.Target], roll: asking.Roll) -> Iterator[Answer]:
    """What the last good replies say: the same adapters over the stored bodies."""
    for target in targets:
        reply = store.read_replies(target.provider.name)
        if reply is not None:
            answer = fetch.parse_stored(target, reply[0], fetched_at=reply[1])
            if target.provider.needs_key and target.key is None:
                # A public list, kept for display: without a key it admits nothing.
                detail = asking.no_key_detail(roll, target.provider)
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
        return yaml_bounds.load(content.decode("utf-8-sig"))
    except yaml_bounds.UNREADABLE:
        return None


def _same_policy(evidence: Evidence) -> bool:
    text = evidence.state.policy_text
    return text is not None and text.encode() == evidence.policy_bytes


def _old_policy(evidence: Evidence) -> Policy | None:
    text = evidence.state.policy_text
    if text is None or _same_policy(evidence):
        return None
    try:
        return policy.load(text, "the policy of the last apply")
    except PolicyError:
        return None


def read_policy(settings: Settings) -> tuple[bytes, Policy]:
    """The policy file's bytes and what they say; legacy mode needs no file.

    Raises:
        PolicyError: missing, unreadable or wrong.
    """
    content = read_policy_bytes(settings)
    if settings.mode is Mode.LEGACY:
        return content, policy.default_policy()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(
            f"{settings.policy_path} is not UTF-8 (byte {error.start}).", "Save it as UTF-8."
        ) from None
    return content, policy.load(text, str(settings.policy_path))


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
