"""What is kept of trials: which model answered at which address with which key, and when.

A key is known by a salted one-way fingerprint, and is never kept itself.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from rollcall.plan.trial import Callee
from rollcall.providers.builtin import find_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rollcall.policy.schema import Policy
    from rollcall.providers.builtin import Provider
    from rollcall.store.state import State, TrialRecord

MOST_RECORDS: Final = 500


def key_of(
    callee: Callee, providers: Mapping[str, Provider], environ: Mapping[str, str]
) -> tuple[str | None, str]:
    """(variable, value) of the key a model is called with; "" where it is not set."""
    if callee.key_env is not None:
        return callee.key_env, environ.get(callee.key_env, "").strip()
    return find_key(providers[callee.provider], environ) or (None, "")


def salted(state: State) -> State:
    import secrets

    return state.model_copy(update={"salt": secrets.token_hex(16)})


def fingerprint(salt: str, key: str) -> str:
    """What tells one key from another, and nothing else of it; "" of none."""
    if not key:
        return ""
    return hashlib.blake2b(key.encode(), key=salt.encode(), digest_size=8).hexdigest()


def with_records(state: State, records: Iterable[TrialRecord]) -> State:
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
                callee = Callee(record.provider, record.id, record.address, variable)
                key = key_of(callee, providers, environ)[1]
                if fingerprint(state.salt, key) == record.key:
                    found[callee] = record
    return found


def _variables(policy: Policy, provider: Provider) -> Iterator[str | None]:
    """Every variable an entry of a provider may name."""
    yield None
    yield from provider.key_env
    yield from {rule.key_env for rule in policy.allow if rule.key_env}
