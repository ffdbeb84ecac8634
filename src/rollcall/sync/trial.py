"""Calls the models that have to answer before they are used, and decides again with the outcomes.

All at once, under what is left of the run's deadline. What they said is kept in the state: which
model answered at which address with which key, and when. A key is known there by a salted one-way
fingerprint, and is never kept itself.
"""

from __future__ import annotations

import time
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import ModelKey
from rollcall.plan.trial import ANSWERED, Callee, Standing, plain_address, refusal_of, standing_of
from rollcall.providers.builtin import find_key
from rollcall.providers.chat.errors import Outcome
from rollcall.sync.asking import deadline_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rollcall.plan.decide import Decision
    from rollcall.plan.inputs import Inputs
    from rollcall.plan.trial import Trial
    from rollcall.policy.schema import Policy
    from rollcall.providers.builtin import Provider
    from rollcall.providers.chat.endpoint import Endpoint
    from rollcall.providers.chat.trial import Tried
    from rollcall.settings import Settings
    from rollcall.store.state import State, TrialRecord

ROUNDS: Final = 3
"""So often a refused model is followed by the next of its family within one run."""
AT_ONCE: Final = 4
"""Calls under way at one provider."""
LEAST_SECONDS: Final = 0.2
"""With less time left nobody is called."""
GRACE_SECONDS: Final = 0.1
AT_RESPONSES: Final = "it answers at /responses only"
MOST_RECORDS: Final = 500
"""Kept in the state."""


def try_models(
    settings: Settings,
    inputs: Inputs,
    decision: Decision,
    decide: Callable[[Inputs], Decision],
    began: float,
) -> tuple[Inputs, Decision]:
    """Make the calls a decision waits for, and decide again; what stays untried is held.

    Args:
        began: when the run did, by `time.monotonic`: its deadline holds for the calls, too.
    """
    ends_at = began + deadline_of(inputs.policy, settings)
    if not decision.trials or inputs.nobody_answered or decision.refused:
        return inputs, decision
    for _ in range(ROUNDS):
        if settings.offline or not decision.trials:
            break
        inputs = _after_calls(settings, inputs, decision.trials, ends_at)
        decision = decide(inputs)
    inputs = replace(inputs, hold_untried=True)
    return inputs, decide(inputs)


def _after_calls(
    settings: Settings, inputs: Inputs, trials: Sequence[Trial], ends_at: float
) -> Inputs:
    """The inputs with what these calls said."""
    from rollcall.store.state import TrialRecord

    keyed = {trial: _key_of(trial.callee, inputs.providers, settings.environ) for trial in trials}
    able = [
        trial
        for trial in trials
        if keyed[trial][1]
        or not (trial.callee.key_env or inputs.providers[trial.callee.key.provider].needs_key)
    ]
    judged = _call_all(able, inputs.providers, keyed, ends_at)
    state = inputs.state if inputs.state.salt else _salted(inputs.state)
    records: dict[Callee, TrialRecord] = {}
    for trial, one in judged.items():
        callee, before = trial.callee, inputs.trials.get(trial.callee)
        answered = one.outcome in ANSWERED
        records[callee] = TrialRecord(
            provider=callee.key.provider,
            id=callee.key.id,
            address=callee.address,
            key=_fingerprint(state.salt, keyed[trial][1]),
            outcome=one.outcome.value,
            asked=inputs.stamp,
            answered=inputs.stamp if answered else before and before.answered,
            words="" if answered else one.detail,
        )
    return replace(
        inputs,
        trials={**inputs.trials, **records},
        tried=inputs.tried | {trial.callee for trial in trials},
        state=_with_records(state, records.values()),
    )


def _call_all(
    trials: Sequence[Trial],
    providers: Mapping[str, Provider],
    keyed: Mapping[Trial, tuple[str | None, str]],
    ends_at: float,
) -> dict[Trial, Tried]:
    """Every model called once, at the same time; those not done in time say so."""
    if not trials or ends_at - time.monotonic() < LEAST_SECONDS:
        return {}
    from rollcall.providers.chat.endpoint import endpoint_of
    from rollcall.providers.chat.openai import OpenAIProtocol
    from rollcall.providers.chat.responses import ResponsesProtocol
    from rollcall.providers.http_client import run_apart

    left = ends_at - time.monotonic()
    endpoints: dict[Trial, Endpoint] = {}
    for trial in trials:
        provider = providers[trial.callee.key.provider]
        variable, key = keyed[trial]
        at = provider._replace(base_url=trial.base_url)
        endpoint = endpoint_of(
            at, key or None, key_variable=variable if key else None, timeout_seconds=left
        )
        if trial.mode == "responses" and isinstance(endpoint.protocol, OpenAIProtocol):
            endpoint = replace(endpoint, protocol=ResponsesProtocol())
        endpoints[trial] = endpoint
    return run_apart(lambda: _judged(endpoints, left))


async def _judged(endpoints: Mapping[Trial, Endpoint], left: float) -> dict[Trial, Tried]:
    import asyncio

    from rollcall.providers.chat.trial import Tried, try_model
    from rollcall.providers.http_client import open_client
    from rollcall.secrets import Redactor

    redactor = Redactor([one.key for one in endpoints.values() if one.key])
    gates = {trial.callee.key.provider: asyncio.Semaphore(AT_ONCE) for trial in endpoints}

    async def one(trial: Trial, endpoint: Endpoint) -> Tried:
        async with gates[trial.callee.key.provider]:
            tried = await try_model(client, endpoint, trial.callee.key.id)
        if tried.needs_responses and trial.mode != "responses":  # LiteLLM would ask for a chat
            tried = replace(tried, outcome=Outcome.WRONG_ENDPOINT, detail=AT_RESPONSES)
        return replace(tried, detail=redactor.redact(tried.detail))

    try:
        client = open_client([endpoint.base_url for endpoint in endpoints.values()])
    except (OSError, ValueError, ImportError) as error:
        return dict.fromkeys(endpoints, Tried(Outcome.UNREACHABLE, redactor.redact(str(error))))
    late = Tried(Outcome.TIMEOUT, "no answer before the run's deadline")
    async with client:
        tasks = {
            trial: asyncio.create_task(one(trial, endpoint))
            for trial, endpoint in endpoints.items()
        }
        await asyncio.wait(tasks.values(), timeout=left + GRACE_SECONDS)
        return {trial: task.result() if task.done() else late for trial, task in tasks.items()}


# --- what is kept of them ---


def _key_of(
    callee: Callee, providers: Mapping[str, Provider], environ: Mapping[str, str]
) -> tuple[str | None, str]:
    """(variable, value) of the key a model is called with; "" where it is not set."""
    if callee.key_env is not None:
        return callee.key_env, environ.get(callee.key_env, "").strip()
    return find_key(providers[callee.key.provider], environ) or (None, "")


def _salted(state: State) -> State:
    from secrets import token_hex

    return state.model_copy(update={"salt": token_hex(16)})


def _fingerprint(salt: str, key: str) -> str:
    """What tells one key from another, and nothing else of it; "" of none."""
    if not key:
        return ""
    return blake2b(key.encode(), key=salt.encode(), digest_size=8).hexdigest()


def _with_records(state: State, records: Iterable[TrialRecord]) -> State:
    kept = {(one.provider, one.id, one.address, one.key): one for one in state.trials}
    for one in records:
        kept.pop((one.provider, one.id, one.address, one.key), None)
        kept[one.provider, one.id, one.address, one.key] = one
    return state.model_copy(update={"trials": list(kept.values())[-MOST_RECORDS:]})


def remembered_trials(
    state: State, policy: Policy, providers: Mapping[str, Provider], environ: Mapping[str, str]
) -> dict[Callee, TrialRecord]:
    """What earlier runs learnt that counts with the keys of now."""
    if policy.guards.trial == "off" or not state.trials:
        return {}
    found = {}
    for record in state.trials:
        if record.provider in providers:
            for variable in _variables(policy, providers[record.provider]):
                callee = Callee(ModelKey(record.provider, record.id), record.address, variable)
                key = _key_of(callee, providers, environ)[1]
                if _fingerprint(state.salt, key) == record.key:
                    found[callee] = record
    return found


def refused_at(
    state: State, policy: Policy, provider: Provider, root: str, key: str
) -> dict[str, str]:
    """Model id -> the refusal, of a provider's models that refused the last trial at an address
    with a key; for the library, which by itself calls at /responses what answers only there.
    """
    from rollcall.providers.chat.endpoint import root_of

    if policy.guards.trial == "off":
        return {}
    at = (provider.name, plain_address(root), _fingerprint(state.salt, key))
    return {
        record.id: refusal_of(record)
        for record in state.trials
        if (record.provider, root_of(provider, record.address), record.key) == at
        and standing_of(Outcome(record.outcome)) is Standing.REFUSED
        and record.words != AT_RESPONSES
    }


def _variables(policy: Policy, provider: Provider) -> Iterator[str | None]:
    """Every variable an entry of a provider may name."""
    yield None
    yield from provider.key_env
    yield from {rule.key_env for rule in policy.allow if rule.key_env}
