"""Orders a family's models, newest first, and says the one release date of each.

The order is a key, never a rule between pairs (which would not be transitive): version, revision,
stage, release date, bare before dated, stamp (a `0605` whose year nobody says), the plain level of
service, id. Two parts of the key depend on the other models of the family, and on nothing else:
whether its versions are decimals, and the day a bare name counts as released on.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog.names import COUNTS_IN_DECIMALS, LEVELS
from rollcall.catalog.reading import Stage, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from rollcall.catalog.model import Model


FamilyKey = tuple[str | None, str]
"""(maker, family)."""

SNAPSHOT_MARGIN = timedelta(days=21)
"""A dated snapshot released within this of its bare name is the same model, not a newer one."""

_Numbers = tuple[int, ...]
_Order = tuple[_Numbers, _Numbers, int, int, bool, str]
_STAGES = {Stage.EXPERIMENTAL: 0, Stage.PREVIEW: 1, Stage.STABLE: 2}


def release_date(model: Model) -> date | None:
    """The day a model came out: the full stamp in its id, else what the provider says.

    Where the provider gives no day (Mistral), a bare name is as old as the snapshot it reaches:
    its `mistral-small` was still the one of 2312 when there was a 2506.
    """
    return model.reading.stamp or model.released or _reached_stamp(model)


def release_number(model: Model) -> int:
    """The day a model came out, as a number that compares; 0 where nobody says."""
    day = release_date(model)
    return day.toordinal() if day else 0


def _reached_stamp(model: Model) -> date | None:
    reading, others = model.reading, [read(alias, maker=model.maker) for alias in model.aliases]
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
        families[model.reading.maker, model.reading.family].append(model)
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
    members = list(models)
    in_decimals = _counts_in_decimals(members)
    rows = [
        _Row(model, _order(model, day, in_decimals=in_decimals))
        for model, day in zip(members, _days(members), strict=True)
    ]
    rows.sort(key=lambda row: (_has_level(row.model.id), row.model.id, row.model.provider))
    rows.sort(key=lambda row: row.order, reverse=True)
    return rows


def _has_level(model_id: str) -> bool:
    """Whether an id asks for another service than the plain one (`Pro/deepseek-ai/...`)."""
    return model_id.partition("/")[0].lower() in LEVELS


def _order(model: Model, day: int, *, in_decimals: bool) -> _Order:
    reading = model.reading
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


def _days(models: Sequence[Model]) -> list[int]:
    """The day each model counts as released on; 0 where nobody says.

    A bare name is lifted to its latest snapshot within the margin, so that it stands before that
    snapshot, while one released later stands before it. With a bare name whose day nobody says
    it stands before all of them: it follows the newest.
    """
    days = [release_number(model) for model in models]
    snapshots: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for model, day in zip(models, days, strict=True):
        if model.reading.dated:
            snapshots[_bare_name(model)].append(day)
    for index, model in enumerate(models):
        if not model.reading.dated and (siblings := snapshots.get(_bare_name(model))):
            limit = days[index] + SNAPSHOT_MARGIN.days if days[index] else max(siblings)
            days[index] = max([days[index], *(day for day in siblings if day <= limit)])
    return days


def _bare_name(model: Model) -> tuple[object, ...]:
    """What a snapshot and its bare name share."""
    one = model.reading
    same = one.maker, one.family, one.version, one.revision, one.stage, one.variant
    return model.provider, *same


def _counts_in_decimals(models: Sequence[Model]) -> bool:
    """Whether 4.20 comes before 4.3 here: the table says so, or release dates contradict 4·20."""
    if any(model.reading.family.split("-")[0] in COUNTS_IN_DECIMALS for model in models):
        return True
    released: dict[str, date] = {}
    for model in models:
        day, version = release_date(model), model.reading.version
        if day and version:
            released[version] = min(day, released.get(version, day))
    return _steps_back(released, in_decimals=True) < _steps_back(released, in_decimals=False)


def _steps_back(released: Mapping[str, date], *, in_decimals: bool) -> int:
    """How often the next version is the older one."""
    rising = sorted(
        released, key=lambda version: (_numbers(version, in_decimals=in_decimals), version)
    )
    return sum(released[later] < released[earlier] for earlier, later in pairwise(rising))
