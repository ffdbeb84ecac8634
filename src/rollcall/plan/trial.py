"""What is known of one model before anybody is sent to it, and what a call to it came to.

Listed is not callable: an organisation to be verified, a preview without quota, a name that is
listed two days before it works. Pure; `sync.trial` makes the calls, and a run decides again with
what they said.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from rollcall.catalog.model import Kind, ModelKey
from rollcall.litellm_config.entries import key_of, section_of
from rollcall.providers.chat.errors import Outcome
from rollcall.secrets import variable_of
from rollcall.settings import parse_moment

if TYPE_CHECKING:
    from rollcall.catalog.model import Model
    from rollcall.litellm_config.document import Entry
    from rollcall.plan.inputs import Inputs
    from rollcall.store.state import TrialRecord


class Callee(NamedTuple):
    """Whom a trial calls, as far as it decides the answer.

    Attributes:
        key: the model. address: the root of the API, without what may be a secret in it.
        key_env: the variable of the key; None = the provider's own way, or none needed.
    """

    key: ModelKey
    address: str
    key_env: str | None


class Trial(NamedTuple):
    """A call to make.

    Attributes:
        base_url: the root of the API as it is called. mode: LiteLLM's; "" = chat.
    """

    callee: Callee
    base_url: str
    mode: str = ""


class Standing(StrEnum):
    """What is known of a model before anybody is sent to it."""

    PROVEN = "proven"
    """It has answered lately, or needs not to."""
    UNTRIED = "untried"
    """Nobody has called it, or not for long."""
    NOT_YET = "not proven yet"
    """The last call says nothing against it: too many calls, a fault, no answer in time."""
    REFUSED = "refused"
    """The last call was refused: for this key, this account, this endpoint."""


ANSWERED = frozenset({Outcome.ANSWERED, Outcome.REFUSED_PARAMS})
"""Who refuses a parameter knows the key and the model: that is the adapter's to mend."""
PASSING = frozenset(
    {
        Outcome.RATE_LIMITED,
        Outcome.SERVER_ERROR,
        Outcome.TIMEOUT,
        Outcome.UNREACHABLE,
        Outcome.DECLINED,
        Outcome.INVALID_REPLY,
    }
)
"""What may be otherwise at the next run; everything else is a refusal."""


def standing_of(outcome: Outcome) -> Standing:
    """What one outcome makes of a model."""
    if outcome in ANSWERED:
        return Standing.PROVEN
    return Standing.NOT_YET if outcome in PASSING else Standing.REFUSED


def trial_of(inputs: Inputs, entry: Entry, model: Model) -> Trial | None:
    """The call that proves an entry of ours, which stands there or would; None where it is not
    called as a chat.
    """
    key = key_of(entry)
    params, info = section_of(entry, "litellm_params"), section_of(entry, "model_info")
    provider, mode = inputs.providers.get(key.provider if key else ""), str(info.get("mode") or "")
    if provider is None or model.kind is not Kind.CHAT or mode not in ("", "chat", "responses"):
        return None
    given = str(params.get("api_base") or provider.base_url)
    base = provider.base_url if variable_of(given) is not None else given
    variable = variable_of(params.get("api_key"))
    return Trial(Callee(model.key, plain_address(base), variable), base, mode)


def plain_address(url: str) -> str:
    """An address without user, password, query and fragment, which may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def standing(inputs: Inputs, trial: Trial | None, *names: str) -> Standing:
    """What is known of a model; `names` are what a person may have accepted it as."""
    guards = inputs.policy.guards
    if trial is None or guards.trial == "off" or inputs.force:
        return Standing.PROVEN
    if inputs.accepts(trial.callee.key.id, trial.callee.key.qualified, *names):
        return Standing.PROVEN
    record = inputs.trials.get(trial.callee)
    if record is None:
        return Standing.UNTRIED
    found = standing_of(Outcome(record.outcome))
    if found is Standing.PROVEN and not _lately(inputs, record):
        return Standing.UNTRIED
    return found


def is_to_be_tried(inputs: Inputs, trial: Trial, *names: str) -> bool:
    """Whether this run should call: what has not answered is called at every run, once."""
    proven = standing(inputs, trial, *names) is Standing.PROVEN
    return not proven and trial.callee not in inputs.tried


def _lately(inputs: Inputs, record: TrialRecord) -> bool:
    answered = parse_moment(record.answered or "")
    days = inputs.policy.guards.trial_every
    return answered is not None and inputs.now - answered < timedelta(days=days)


def held_because(inputs: Inputs, trial: Trial | None, *names: str) -> str | None:
    """Why a model is not used yet: the outcome, the provider's words, and what to do; None where
    it may be used, or is still to be tried.
    """
    found = standing(inputs, trial, *names)
    if trial is None or found is Standing.PROVEN:
        return None
    if found is Standing.UNTRIED and not inputs.hold_untried:
        return None
    name, record = trial.callee.key.qualified, inputs.trials.get(trial.callee)
    if found is Standing.UNTRIED or record is None:
        key = f", {trial.callee.key_env} not set here" if trial.callee.key_env else ""
        return (
            f"{name} is not proven yet: it was not called in this run (offline{key}, or no time "
            "left); the next apply calls it"
        )
    words = f" ({record.words})" if record.words else ""
    what = f"{name} is listed, but a call to it came to: {record.outcome}{words}"
    if found is Standing.NOT_YET:
        return f"{what}; not proven yet, the next apply calls again"
    return f"{what}; {_what_to_do(inputs, trial, Outcome(record.outcome))}, then apply again"


def last_trial(inputs: Inputs, model: Model) -> TrialRecord | None:
    """What became of calling a model last, at whatever address, with a key of now."""
    found = [row for callee, row in inputs.trials.items() if callee.key == model.key]
    return max(found, key=lambda row: row.asked, default=None)


def refusal_of(record: TrialRecord) -> str:
    """What the last call came to, with the provider's words; "" where it was an answer."""
    if standing_of(Outcome(record.outcome)) is Standing.PROVEN:
        return ""
    return f"{record.outcome}: {record.words}" if record.words else record.outcome


def told(record: TrialRecord) -> str:
    """When a model last answered, and what it said since, in one line."""
    answered = f"answered {record.answered}" if record.answered else "has never answered"
    refusal = refusal_of(record)
    return f"{answered}; {record.asked}: {refusal}" if refusal else answered


def _what_to_do(inputs: Inputs, trial: Trial, outcome: Outcome) -> str:
    provider = inputs.providers[trial.callee.key.provider]
    at = f" at {provider.key_url}" if provider.key_url else ""
    match outcome:
        case Outcome.REFUSED_KEY:
            whose = f"the key in {trial.callee.key_env}" if trial.callee.key_env else "the key"
            return f"check what {whose} and its account may call{at}"
        case Outcome.NO_CREDIT:
            return f"top up the account, or raise its limit{at}"
        case Outcome.WRONG_ENDPOINT if trial.mode != "responses":
            return "give its rule model_info: {mode: responses} if it answers there, or deny it"
        case Outcome.NOT_FOUND:
            return "wait until it can be called with this key, or deny it"
        case _:
            return "see what it says, or deny it"
