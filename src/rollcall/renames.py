"""One provider's list, laid out to find an id in it, or what became of one that is gone. Pure."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from rollcall import admission, families
from rollcall.entries import called_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rollcall.catalog import Model
    from rollcall.config_document import Entry
    from rollcall.entries import EntryKey
    from rollcall.situation import Situation


class Listing:
    """What one provider lists now.

    Attributes:
        models: by id.
    """

    def __init__(self, situation: Situation, provider: str) -> None:
        """Lay out the answer of `provider`, which answered well."""
        self._situation = situation
        self._provider = provider
        self.models = {model.id: model for model in situation.answers[provider].models}

    def renamed(self, entry: Entry, key: EntryKey) -> Model | None:
        """The model of an entry under the id it has now: case, alias or canonical name tell.

        Another offer of it (`:free`, batch), a moving id, one that is denied, or one that was
        listed beside it before, is something else.
        """
        return next((row for row in self._alike(entry, key) if self._may_follow(key, row)), None)

    def _alike(self, entry: Entry, key: EntryKey) -> Iterator[Model]:
        # An entry that was led to the new id at an earlier run tells so by itself.
        yield from self._by_name[f"calls {called_by(entry)}"]
        yield from self._by_name[f"id {key.id.lower()}"]
        yield from self._by_name[f"known {key.id}"]
        before = self._before.get(key.id)
        if before is not None and before.canonical is not None:
            alike = self._by_name[f"canonical {before.canonical}"]
            yield from (model for model in alike if model.id not in self._before)

    @cached_property
    def _by_name(self) -> dict[str, list[Model]]:
        found: defaultdict[str, list[Model]] = defaultdict(list)
        for model in self.models.values():
            for name in _names(model):
                found[name].append(model)
        return found

    @cached_property
    def _before(self) -> dict[str, Model]:
        """The list of the last good answer before this one."""
        return {model.id: model for model in self._situation.previous_models(self._provider)}

    def _may_follow(self, key: EntryKey, model: Model) -> bool:
        if model.batch_only or model.points_at is not None:
            return False
        reading = families.read_model(model)
        same_offer = reading.variant == families.read(key.id).variant and not reading.moving
        denied = admission.denied(self._situation.policy, model.provider, model.id)
        return same_offer and denied is None


def _names(model: Model) -> Iterable[str]:
    yield f"calls {model.litellm_model}"
    yield f"id {model.id.lower()}"
    yield from (f"known {name}" for name in model.aliases)
    if model.canonical is not None:
        yield f"known {model.canonical}"
        yield f"canonical {model.canonical}"
