"""Makes a first policy: rules for what config.yaml has, its providers asked, else a starter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rollcall.litellm_config.document import parse
from rollcall.litellm_config.refusals import naming_config
from rollcall.plan.proposal import Proposal, propose
from rollcall.policy.file import load_policy
from rollcall.policy.starter import proposed_text, shipped_policy, starter_text, with_keys
from rollcall.store.store import open_store
from rollcall.sync.gather import ask_policy

if TYPE_CHECKING:
    from rollcall.settings import Settings


class FirstPolicy(NamedTuple):
    """A policy to begin with.

    Attributes:
        text: the file. starts_with: the providers its starter rules are for; () where it has none.
        proposal: what becomes of each hand-written entry; None where there is none to keep.
    """

    text: str
    starts_with: tuple[str, ...] = ()
    proposal: Proposal | None = None


@naming_config
def first_policy(settings: Settings, *, full: bool = False) -> FirstPolicy:
    """Propose rules that keep what config.yaml has; where it has no entry, a starter.

    Asks the providers of the hand-written entries, unless `settings.offline`.

    Args:
        full: the policy that ships with rollcall, whatever the config holds.

    Raises:
        ConfigRefused, StoreError: config.yaml cannot be read.
    """
    if full:
        return FirstPolicy(shipped_policy())
    document = parse(open_store(settings).read_config())
    names = with_keys(settings.environ)
    found = propose(document, settings.environ)
    if not found.total:
        return FirstPolicy(starter_text(names), tuple(names))
    if found.rules and not settings.offline:
        policy = load_policy(_text(found, names), "the proposed policy")
        answers = ask_policy(settings, policy, document)
        catalogs = {answer.provider: answer.models for answer in answers}
        partial = frozenset(answer.provider for answer in answers if answer.partial)
        found = propose(document, settings.environ, catalogs, partial)
    return FirstPolicy(_text(found, names), proposal=found)


def _text(found: Proposal, names: list[str]) -> str:
    """Nothing that the person does not have already is admitted by it."""
    providers = found.providers or {name: {} for name in names}
    return proposed_text(providers, found.rules, found.silent)
