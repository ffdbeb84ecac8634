"""What other lists say of a model where its own provider says nothing, each value with its source.

Providers list few prices, abilities and last days. Other lists do: OpenRouter's rows, LiteLLM's own
price map, a file somebody names. The policy says which and in which order; the first that says a
thing is believed, and what the provider says itself is never replaced. "Free" is not borrowed: a
list that does not know a price often says 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

from rollcall.catalog.model import CAPABILITIES, Model, Price
from rollcall.catalog.names import canonical_maker
from rollcall.catalog.reading import Reading


class Facts(BaseModel):
    """What one list says of one model; None or absent = it does not say.

    Attributes:
        priced: it states a price, be it 0: what LiteLLM charges by, where it is LiteLLM's.
        ends: the last day. replaced_by: the successor, as the provider's own id.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    price: Price = Price()
    priced: bool = False
    context: int | None = None
    max_output: int | None = None
    capabilities: dict[str, bool] = {}
    input_modalities: tuple[str, ...] | None = None
    ends: date | None = None
    replaced_by: str | None = None


class Opinion(NamedTuple):
    """What a source says of a model.

    Attributes:
        source: whose word it is: `openrouter/z-ai/glm-5`, `litellm 1.110.2`, a file's name.
    """

    source: str
    facts: Facts


class FactSource(Protocol):
    """A list that may know other providers' models."""

    def opinion_of(self, model: Model) -> Opinion | None:
        """What it says of a model; None = it does not know it."""


FIELDS = ("price", "context", "max_output", "input_modalities", "ends", "replaced_by")
"""What can be borrowed, beside the capabilities; the keys of `Model.borrowed`."""


def _said_by(model: Model) -> dict[str, object]:
    """The fields that a model's provider states itself."""
    said = _stated(model)
    if model.price.input is not None or model.price.output is not None:
        said["price"] = model.price
    said |= model.capabilities
    return {name: value for name, value in said.items() if name not in model.borrowed}


def _told_in(facts: Facts) -> dict[str, object]:
    """The fields that a list states, as far as they can be borrowed."""
    told = _stated(facts)
    if facts.price.blended:
        told["price"] = facts.price
    return told | {word: yes for word, yes in facts.capabilities.items() if word in CAPABILITIES}


def _stated(one: Model | Facts) -> dict[str, object]:
    return {name: value for name in FIELDS[1:] if (value := getattr(one, name)) is not None}


class OtherLists:
    """What all lists but the provider's own say, in the policy's order.

    Attributes:
        says_all: providers whose models borrow nothing: their lists say everything themselves.
        charged_by: the source whose prices LiteLLM charges by; None where it was not found.
    """

    def __init__(
        self,
        sources: tuple[FactSource, ...] = (),
        says_all: frozenset[str] = frozenset(),
        charged_by: FactSource | None = None,
    ) -> None:
        self.sources = sources
        self.says_all = says_all
        self.charged_by = charged_by
        self._known: dict[int, tuple[Model, Model]] = {}

    @classmethod
    def of(
        cls,
        order: Iterable[str],
        openrouter: Sequence[Model],
        recorded: Mapping[str, RecordedFacts],
        *,
        says_all: Iterable[str],
    ) -> OtherLists:
        """The lists that `order` names: `openrouter`, or a word of `recorded`.

        Args:
            openrouter: what OpenRouter lists. recorded: word -> a list from disk.
        """
        known: dict[str, FactSource] = {"openrouter": OpenRouterRows(openrouter), **recorded}
        sources = tuple(known[word] for word in order if word in known)
        charged = next((one for one in recorded.values() if one.charges), None)
        return cls(sources, frozenset(says_all), charged)

    def complete(self, model: Model) -> Model:
        """The model with what its provider leaves out, `borrowed` saying whose word each is."""
        if not self.sources or model.provider in self.says_all:
            return model
        known = self._known.get(id(model))
        if known is None:
            known = self._known[id(model)] = (model, self._completed(model))
        return known[1]

    def _completed(self, model: Model) -> Model:
        said, found, borrowed = _said_by(model), {}, dict(model.borrowed)
        for source, facts in self.opinions(model):
            for name, value in _told_in(facts).items():
                if name not in said and name not in found:
                    found[name] = value
                    borrowed[name] = source
        if not found:
            return model
        abilities = {word: found.pop(word) for word in CAPABILITIES if word in found}
        fields = {**found, "capabilities": {**model.capabilities, **abilities}}
        return model.model_copy(update={**fields, "borrowed": borrowed})

    def opinions(self, model: Model) -> Iterator[Opinion]:
        """What each source says of a model, in their order."""
        for source in self.sources:
            opinion = source.opinion_of(model)
            if opinion is not None:
                yield opinion

    def disagreeing(self, model: Model) -> dict[str, list[tuple[str, object]]]:
        """Field -> (source, value) of those that say something else than the provider itself."""
        found: dict[str, list[tuple[str, object]]] = {}
        said = _said_by(model)
        for source, facts in self.opinions(model):
            for name, value in _told_in(facts).items():
                if name in said and said[name] != value:
                    found.setdefault(name, []).append((source, value))
        return found

    def is_charged(self, model: Model) -> bool | None:
        """Whether LiteLLM itself knows what a model costs; None = nobody can tell."""
        if self.charged_by is None:
            return None
        opinion = self.charged_by.opinion_of(model)
        return opinion is not None and opinion.facts.priced


NOTHING_BORROWED = OtherLists()


class RecordedFacts(NamedTuple):
    """A list kept as a table: what LiteLLM calls a model -> what the list says of it.

    Attributes:
        charges: it is LiteLLM's own price map, or a copy of it: what a proxy charges by.
    """

    name: str
    facts_of: Callable[[str], Facts | None]
    charges: bool = False

    def opinion_of(self, model: Model) -> Opinion | None:
        """What it says of a model."""
        facts = self.facts_of(model.litellm_model)
        return None if facts is None else Opinion(self.name, facts)


class OpenRouterRows:
    """OpenRouter's rows, told to be the same model by how the ids read: maker, family, version,
    revision and stage; of several the same snapshot counts first, then the bare name.

    What it costs and how long it is there says nothing of a host's or a local server's offer of
    the model, so these are borrowed for the maker's own offer only.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = models
        self._by_word: dict[str, Mapping[tuple[object, ...], list[Model]]] = {}

    def opinion_of(self, model: Model) -> Opinion | None:
        """What OpenRouter says of a model."""
        mine = model.reading
        word = mine.family.partition("-")[0]
        if not word:
            return None
        rows = self._by_word.get(word)
        if rows is None:
            rows = self._by_word[word] = self._rows_with(word)
        same = rows.get(_identity(mine), ())
        if not same:
            return None
        best = min(same, key=lambda other: _rank(mine, other))
        facts = Facts(
            context=best.context,
            max_output=best.max_output,
            capabilities=best.capabilities,
            input_modalities=best.input_modalities,
        )
        if canonical_maker(model.litellm_model.partition("/")[0]) == mine.maker:
            offer = {"price": best.price, "ends": best.ends, "replaced_by": best.replaced_by}
            facts = facts.model_copy(update=offer)
        return Opinion(f"{OPENROUTER}{best.id}", facts)

    def _rows_with(self, word: str) -> Mapping[tuple[object, ...], list[Model]]:
        """Only rows with the family's first word in their id are read: reading costs."""
        found: dict[tuple[object, ...], list[Model]] = {}
        for model in self._models:
            if word in model.id.lower() and ":" not in model.id and not model.points_at:
                found.setdefault(_identity(model.reading), []).append(model)
        return found


OPENROUTER = "openrouter/"


def _identity(reading: Reading) -> tuple[object, ...]:
    return reading.maker, reading.family, reading.version, reading.revision, reading.stage


def _rank(mine: Reading, other: Model) -> tuple[bool, int, str]:
    theirs = other.reading
    same = mine.stamp_text == theirs.stamp_text
    return other.price.blended is None, 0 if same else 1 + theirs.dated, other.id


def price_label(source: str) -> str:
    """Whose price a borrowed one is: `OpenRouter's price for z-ai/glm-5`."""
    row = source.removeprefix(OPENROUTER)
    return f"{source}'s price" if source == row else f"OpenRouter's price for {row}"


def short(source: str) -> str:
    """Whose list that is, in a table: `OpenRouter's`, `litellm 1.110.2's`."""
    return "OpenRouter's" if source.startswith(OPENROUTER) else f"{source}'s"


def said_by(source: str | None) -> str:
    """` (OpenRouter's z-ai/glm-5)`, to stand behind a value; "" where it is its provider's own."""
    return f" ({whose(source)})" if source else ""


def whose(source: str) -> str:
    """A source as people read it behind a value: `OpenRouter's z-ai/glm-5`, `litellm 1.110.2`."""
    row = source.removeprefix(OPENROUTER)
    return source if row == source else f"OpenRouter's {row}"
