"""Orders a family's models, newest first, and says the one release date of each.

The order is a key, never a rule between pairs (which would not be transitive): version, revision,
stage, release date, bare before dated, stamp (a `0605` whose year nobody says), id. Two parts of
the key depend on the other models of the family, and on nothing else: whether its versions are
decimals, and the day a bare name counts as released on.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog.model import Model
from rollcall.catalog.names import COUNTS_IN_DECIMALS
from rollcall.catalog.reading import Reading, Stage, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date


FamilyKey = tuple[str | None, str]
"""(maker, family)."""

SNAPSHOT_MARGIN = timedelta(days=21)
"""A dated snapshot released within this of its bare name is the same model, not a newer one."""

_Numbers = tuple[int, ...]
_Order = tuple[_Numbers, _Numbers, int, int, bool, str]
_STAGES = {Stage.EXPERIMENTAL: 0, Stage.PREVIEW: 1, Stage.STABLE: 2}
_UNKNOWN_DAY = 0


def read_model(model: Model) -> Reading:
    """The reading of a model's id, with the maker its provider states."""
    return read(model.id, maker=model.maker)


def release_date(model: Model) -> date | None:
    """The day a model came out: the full stamp in its id, else what the provider says.

    Where the provider gives no day (Mistral), a bare name is as old as the snapshot it reaches:
    its `mistral-small` was still the one of 2312 when there was a 2506.
    """
    reading = read_model(model)
    return reading.stamp or model.released or _reached_stamp(model, reading)


def release_number(model: Model) -> int:
    """The day a model came out, as a number that compares; 0 where nobody says."""
    day = release_date(model)
    return day.toordinal() if day else _UNKNOWN_DAY


def _reached_stamp(model: Model, reading: Reading) -> date | None:
    others = [read(alias, maker=model.maker) for alias in model.aliases]
    return max(
        (
            other.stamp
            for other in others
            if other.stamp and (other.family, other.version) == (reading.family, reading.version)
        ),
        default=None,
    )


def group(models: Iterable[Model]) -> Mapping[FamilyKey, Sequence[Sequence[Model]]]:
    """Families -> versions newest first -> the ids of that version, the preferred one first.

    The result does not depend on the order of `models`. Moving ids and variants are not left out:
    the caller passes candidates only. Families come in the order of their names.
    """
    families: defaultdict[FamilyKey, list[Model]] = defaultdict(list)
    for model in models:
        reading = read_model(model)
        families[reading.maker, reading.family].append(model)
    names = sorted(families, key=lambda key: (key[0] or "", key[1]))
    return {name: versions(families[name]) for name in names}


def newest_first(models: Iterable[Model]) -> list[Model]:
    """One family's models (of one provider or several), newest first: a total order."""
    return [model for version in versions(models) for model in version]


def versions(models: Iterable[Model]) -> list[list[Model]]:
    """One family's models by version, newest version first, the preferred id of each first.

    Several families read as one are fine. Among unversioned models snapshots are the versions:
    those released within 21 days of each other count as one.
    """
    rows = _ranked(models)
    found: list[list[_Row]] = []
    for row in rows:
        if found and _same_version(found[-1][-1], row):
            found[-1].append(row)
        else:
            found.append([row])
    return [[row.model for row in version] for version in found]


class _Row(NamedTuple):
    """A model with its place in the order."""

    model: Model
    reading: Reading
    order: _Order

    @property
    def day(self) -> int:
        return self.order[3]


def _same_version(newer: _Row, older: _Row) -> bool:
    if newer.order[0] or older.order[0]:
        return newer.order[0] == older.order[0]
    same_stage = newer.order[1:3] == older.order[1:3]
    return same_stage and newer.day - older.day <= SNAPSHOT_MARGIN.days


def _ranked(models: Iterable[Model]) -> list[_Row]:
    read_models = [(model, read_model(model)) for model in models]
    in_decimals = _counts_in_decimals(read_models)
    days = _days(read_models)
    rows = [
        _Row(model, reading, _order(reading, days[index], in_decimals=in_decimals))
        for index, (model, reading) in enumerate(read_models)
    ]
    rows.sort(key=lambda row: (row.model.id, row.model.provider))
    rows.sort(key=lambda row: row.order, reverse=True)
    return rows


def _order(reading: Reading, day: int, *, in_decimals: bool) -> _Order:
    return (
        _numbers(reading.version, in_decimals=in_decimals),
        _numbers(reading.revision.replace("-", "."), in_decimals=False),
        _STAGES[reading.stage],
        day,
        not reading.dated,
        reading.stamp_text,
    )


def _numbers(version: str, *, in_decimals: bool) -> _Numbers:
    """A version that compares: 4.20 is (4, 20), or (4, 2) in decimals; unversioned is ()."""
    if not version:
        return ()
    whole, *rest = version.split(".")
    parts = [int(whole), *(int(part) for part in ("".join(rest) if in_decimals else rest))]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return tuple(parts)


def _days(models: Sequence[tuple[Model, Reading]]) -> list[int]:
    """The day each model counts as released on; 0 where nobody says.

    A bare name is lifted to its latest snapshot within the margin, so that it stands before that
    snapshot, while one released later stands before it. With a bare name whose day nobody says
    it stands before all of them: it follows the newest.
    """
    own = [release_number(model) for model, _ in models]
    snapshots: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for (model, reading), day in zip(models, own, strict=True):
        if reading.dated:
            snapshots[_bare_name(model, reading)].append(day)
    days = list(own)
    for index, (model, reading) in enumerate(models):
        if not reading.dated and (siblings := snapshots.get(_bare_name(model, reading))):
            limit = own[index] + SNAPSHOT_MARGIN.days if own[index] else max(siblings)
            days[index] = max([own[index], *(day for day in siblings if day <= limit)])
    return days


def _bare_name(model: Model, reading: Reading) -> tuple[object, ...]:
    """What a snapshot and its bare name share."""
    return (
        model.provider,
        reading.maker,
        reading.family,
        reading.version,
        reading.revision,
        reading.stage,
        reading.variant,
    )


def _counts_in_decimals(models: Sequence[tuple[Model, Reading]]) -> bool:
    """Whether 4.20 comes before 4.3 here: the table says so, or release dates contradict 4·20."""
    if any(reading.family.split("-")[0] in COUNTS_IN_DECIMALS for _, reading in models):
        return True
    released: dict[str, date] = {}
    for model, reading in models:
        day = release_date(model)
        if day and reading.version:
            released[reading.version] = min(day, released.get(reading.version, day))
    return _steps_back(released, in_decimals=True) < _steps_back(released, in_decimals=False)


def _steps_back(released: Mapping[str, date], *, in_decimals: bool) -> int:
    """How often the next version is the older one."""
    rising = sorted(
        released, key=lambda version: (_numbers(version, in_decimals=in_decimals), version)
    )
    return sum(released[later] < released[earlier] for earlier, later in pairwise(rising))
