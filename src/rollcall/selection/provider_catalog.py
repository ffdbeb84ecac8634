"""One provider's catalog laid out for rules: by id, by prefix, by family; what the deny list stops.

Rules times models must not explode: an exact id is a look-up, a pattern only sees the ids that
begin as it does, a family name only the families, each of which is tried once.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog.facts import NOTHING_BORROWED, OtherLists
from rollcall.catalog.model import Kind, Model
from rollcall.catalog.reading import is_family
from rollcall.policy.words import compile_glob
from rollcall.providers.builtin import is_openrouter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rollcall.policy.schema import Policy


VARIANT_WORDS = frozenset(
    ("batch", "beta", "exacto", "extended", "floor", "free", "nitro", "online", "thinking")
)
"""What stands behind a colon and makes it another offer; elsewhere it is a tag, as in Ollama's."""


class ListedModel(NamedTuple):
    """One model of a catalog, read.

    Attributes:
        special: every reason why only a rule that names its id admits it; none: it is an ordinary
            chat model.
        denied: the pattern of the deny list that keeps it out, None when none does.
    """

    model: Model
    special: tuple[str, ...]
    denied: str | None

    @property
    def family(self) -> tuple[str | None, str]:
        """Maker and family."""
        return self.model.reading.maker, self.model.reading.family

    @property
    def only_a_variant(self) -> bool:
        """Whether a pattern that spells the `:suffix` names it too: there is no other reason."""
        return len(self.special) == 1 and self.special[0].startswith(":")


class ProviderCatalog:
    """One provider's models; the same whatever order they came in."""

    def __init__(
        self,
        provider: str,
        models: Sequence[Model],
        policy: Policy,
        others: OtherLists = NOTHING_BORROWED,
    ) -> None:
        """Lay out `models`, which `provider` lists; `others` say what it does not."""
        row = policy.providers.get(provider)
        self.provider = provider
        self._policy = policy
        self._others = others
        # OpenRouter may think of a new suffix any day; elsewhere a colon can mean anything.
        self._suffixes = is_openrouter(provider, row.type if row else None)
        self.models = _once(models)
        self._ids = sorted(self.models)
        self._items: dict[str, ListedModel] = {}
        self._by_name: dict[str, tuple[str, ...]] = {}

    def item(self, model_id: str) -> ListedModel:
        """The model with this id, read, and with what other lists say of it: only models that a
        rule names cost that.
        """
        item = self._items.get(model_id)
        if item is None:
            model = self._others.complete(self.models[model_id])
            denied = denying_pattern(self._policy, self.provider, model_id)
            item = ListedModel(model, tuple(self._special(model)), denied)
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
                if is_family(self.models[ids[0]].reading, name)
            ]
            known = tuple(sorted(model_id for ids in rows for model_id in ids))
            self._by_name[name] = known
        return known

    @cached_property
    def family_names(self) -> list[str]:
        """The families listed, whoever made them, sorted."""
        return sorted(self._families)

    def made_by(self, family: str) -> ListedModel | None:
        """A model that reads as a family, whoever made it; None where none is listed."""
        rows = next(iter(self._families.get(family, {}).values()), None)
        return self.item(rows[0]) if rows else None

    @cached_property
    def ids_by_lower(self) -> list[tuple[str, str]]:
        """(in lower case, id) of every id, sorted."""
        return sorted((model_id.lower(), model_id) for model_id in self._ids)

    @cached_property
    def _families(self) -> dict[str, dict[tuple[str | None, str], list[str]]]:
        """Family -> (maker, author) -> ids: `is_family` says the same of all ids of one list."""
        found: dict[str, dict[tuple[str | None, str], list[str]]] = {}
        for model_id in self._ids:
            reading = self.models[model_id].reading
            who = (reading.maker, model_id.rpartition("/")[0])
            found.setdefault(reading.family, {}).setdefault(who, []).append(model_id)
        return found

    def _special(self, model: Model) -> Iterator[str]:
        reading = model.reading
        if reading.variant is not None and (self._suffixes or reading.variant in VARIANT_WORDS):
            yield f":{reading.variant} is a variant"
        if model.batch_only:
            yield "works in batch calls only"
        if model.kind is not Kind.CHAT:
            yield f"is not a chat model but {model.kind}"
        if model.deprecated:
            yield "is deprecated by its provider"
        if reading.moving or model.points_at is not None:
            yield "changes what it points at"


def denying_pattern(policy: Policy, provider: str, model_id: str) -> str | None:
    """The first pattern of the deny list that fits the id or `provider/id`, None when none does."""
    for pattern in policy.deny:
        matches = compile_glob(pattern).matches
        if matches(model_id) or matches(f"{provider}/{model_id}"):
            return pattern
    return None


def _once(models: Sequence[Model]) -> dict[str, Model]:
    """By id; of rows that share an id always the same one, whatever their order."""
    found: dict[str, Model] = {}
    for model in models:
        twin = found.setdefault(model.id, model)
        if twin is not model:
            found[model.id] = min(twin, model, key=repr)
    return found
