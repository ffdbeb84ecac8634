"""One provider's catalog laid out for rules: by id, by prefix, by family.

Rules times models must not explode: an exact id is a look-up, a pattern only sees the ids that
begin as it does, a family name only the families, each of which is tried once.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog import order, reading
from rollcall.catalog.model import Kind, Model
from rollcall.catalog.reading import is_family
from rollcall.policy.words import compile_glob
from rollcall.providers.builtin import is_openrouter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rollcall.catalog.model import Model
    from rollcall.catalog.reading import Reading
    from rollcall.policy.schema import Policy, Rule


VARIANT_WORDS = frozenset(
    ("batch", "beta", "exacto", "extended", "floor", "free", "nitro", "online", "thinking")
)
"""What stands behind a colon and makes it another offer; elsewhere it is a tag, as in Ollama's."""


class Item(NamedTuple):
    """One model on the shelf.

    Attributes:
        special: why only a rule that names its id admits it; "" = it is an ordinary chat model.
        denied: the pattern of the deny list that keeps it out, None when none does.
    """

    model: Model
    reading: Reading
    special: str
    denied: str | None

    @property
    def family(self) -> tuple[str | None, str]:
        """Maker and family."""
        return self.reading.maker, self.reading.family

    @property
    def is_variant(self) -> bool:
        """Whether a pattern that spells the `:suffix` names it too."""
        return self.special.startswith(":")


class Shelf:
    """One provider's models; the same whatever order they came in."""

    def __init__(self, provider: str, models: Sequence[Model], policy: Policy) -> None:
        """Lay out `models`, which `provider` lists."""
        row = policy.providers.get(provider)
        self.provider = provider
        self._deny = policy.deny
        # OpenRouter may think of a new suffix any day; elsewhere a colon can mean anything.
        self._suffixes = is_openrouter(provider, row.type if row else None)
        self.models = _once(models)
        self._ids = sorted(self.models)
        self._items: dict[str, Item] = {}
        self._by_name: dict[str, tuple[str, ...]] = {}

    def item(self, model_id: str) -> Item:
        """The model with this id, read."""
        item = self._items.get(model_id)
        if item is None:
            model = self.models[model_id]
            reading = order.read_model(model)
            special = self._special(model, reading)
            item = Item(model, reading, special, denied(self._deny, self.provider, model_id))
            self._items[model_id] = item
        return item

    def matching(self, pattern: str) -> Iterable[str]:
        """The ids a pattern matches, sorted."""
        glob = compile_glob(pattern)
        if glob.literal:
            return (pattern,) if pattern in self.models else ()
        start = bisect_left(self._ids, glob.prefix)
        found = []
        for model_id in self._ids[start:]:
            if not model_id.startswith(glob.prefix):
                break
            if glob.core in model_id and glob.matches(model_id):
                found.append(model_id)
        return found

    def of_family(self, name: str) -> tuple[str, ...]:
        """The ids of a family's members, sorted."""
        known = self._by_name.get(name)
        if known is None:
            head = name.strip().lower().rpartition("/")[2]
            rows = [
                ids
                for ids in self._families.get(head, {}).values()
                if is_family(self.item(ids[0]).reading, name)
            ]
            known = tuple(sorted(model_id for ids in rows for model_id in ids))
            self._by_name[name] = known
        return known

    @cached_property
    def _families(self) -> dict[str, dict[tuple[str | None, str], list[str]]]:
        """Family -> (maker, author) -> ids: `is_family` says the same of all ids of one list."""
        found: dict[str, dict[tuple[str | None, str], list[str]]] = {}
        for model_id in self._ids:
            reading = self.item(model_id).reading
            who = (reading.maker, model_id.rpartition("/")[0])
            found.setdefault(reading.family, {}).setdefault(who, []).append(model_id)
        return found

    def _special(self, model: Model, reading: Reading) -> str:
        if reading.variant is not None and (self._suffixes or reading.variant in VARIANT_WORDS):
            return f":{reading.variant} is a variant"
        if model.batch_only:
            return "works in batch calls only"
        if model.kind is not Kind.CHAT:
            return f"is not a chat model but {model.kind}"
        if reading.moving or model.points_at is not None:
            return "changes what it points at"
        return ""


def denied(patterns: Iterable[str], provider: str, model_id: str) -> str | None:
    """The first deny pattern that fits the id or `provider/id`, None when none does."""
    for pattern in patterns:
        matches = compile_glob(pattern).matches
        if matches(model_id) or matches(f"{provider}/{model_id}"):
            return pattern
    return None


def _once(models: Sequence[Model]) -> dict[str, Model]:
    """By id; of rows that share an id always the same one, whatever their order."""
    found: dict[str, Model] = {}
    for model in models:
        twin = found.setdefault(model.id, model)
        if twin is not model and twin != model:
            found[model.id] = min(twin, model, key=repr)
    return found


NOTICE = timedelta(days=30)
"""A model that ends within this time is admitted with a warning; a successor is preferred."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a decision is made from; see `rollcall.selection.admission.admit`."""

    policy: Policy
    shelves: dict[str, Shelf]
    today: date
    first_seen: Callable[[str, str], date | None]
    accepted: frozenset[str]
    named_only: bool
    present: frozenset[tuple[str, str]]

    def rule(self, number: int) -> Rule:
        """The rule counted from 1."""
        return self.policy.allow[number - 1]

    def ends_soon(self, model: Model) -> bool:
        """Whether its announced end is near."""
        return model.ends is not None and model.ends <= self.today + NOTICE

    def too_young(self, item: Item, name: str) -> bool:
        """Whether `min_age` holds a model back."""
        if not self.policy.guards.min_age or item.model.key in self.present:
            return False
        if not self.accepted.isdisjoint((item.model.id, item.model.qualified, name)):
            return False
        day = self._known_since(item)
        return day is not None and (self.today - day).days < self.policy.guards.min_age

    def age_reason(self, item: Item) -> str:
        """Why a model is held, for people."""
        day = self._known_since(item)
        since = "released" if order.release_date(item.model) else "first seen"
        days = (self.today - day).days if day else 0
        when = f"{days} days ago" if days >= 0 else f"on {day}"
        return f"{since} {when}, min_age is {self.policy.guards.min_age} days"

    def _known_since(self, item: Item) -> date | None:
        return order.release_date(item.model) or self.first_seen(*item.model.key)

    def target_of(self, shelf: Shelf, target: str) -> Reading:
        """The reading of what a moving id points at."""
        if target in shelf.models:
            return shelf.item(target).reading
        return reading.read(target)
