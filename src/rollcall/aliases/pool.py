"""What aliases choose among, and what a choice comes to. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from rollcall.admission.work import NOTICE
from rollcall.catalog import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from rollcall.aliases import Candidate
    from rollcall.policy import Policy


class Outcome(NamedTuple):
    """What a choice came to; see `rollcall.aliases.Resolved`."""

    target: str | None
    reason: str
    candidates: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """The managed entries an alias may lead to, and what is known about their providers."""

    policy: Policy
    entries: tuple[Candidate, ...]
    own_names: frozenset[str]
    unanswered: frozenset[str]
    today: date | None = None
    own_aliases: frozenset[str] = frozenset()

    def named(self, text: str) -> str | None:
        """The model_name a plain text means: `provider/id`, or a name in the config.

        Not an alias of the user's: LiteLLM follows one step only.
        """
        for one in self.entries:
            if one.model.qualified == text:
                return one.name
        names = {one.name for one in self.entries} | (self.own_names - self.own_aliases)
        return text if text in names else None

    def fresh(self) -> Pool:
        """Only entries of providers that answered."""
        entries = tuple(one for one in self.entries if not self.is_stale(one))
        return replace(self, entries=entries)

    def ends_soon(self, one: Candidate) -> bool:
        """Whether an entry's announced end is near; any announced one where no day is given."""
        ends = one.model.ends
        return ends is not None and (self.today is None or ends <= self.today + NOTICE)

    def is_stale(self, one: Candidate) -> bool:
        """Whether an entry's provider could not be asked."""
        return one.staying or one.model.provider in self.unanswered

    def assumed(self, one: Candidate) -> Mapping[str, bool | int]:
        """What the rule that admitted an entry lets us assume of it."""
        if one.staying or not 0 < one.rule <= len(self.policy.allow):
            return {}
        return self.policy.allow[one.rule - 1].assume


def is_candidate(one: Candidate) -> bool:
    """Whether more than its own name may lead to an entry: a chat model that stays what it is."""
    chat = one.model.kind is Kind.CHAT and not one.model.batch_only
    return chat and not one.reading.moving and one.model.points_at is None
