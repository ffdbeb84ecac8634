"""What a person should know of what came in: ends that are near, moving ids that disagree. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollcall.admission import Admitted
    from rollcall.work import Work


def retiring(rows: list[Admitted], work: Work) -> list[str]:
    """Which of the admitted end within the notice, and who follows them."""
    found = []
    for row in rows:
        ends = row.model.ends
        if ends is not None and work.ends_soon(row.model):
            successor = (
                f"; its successor is {row.model.replaced_by}" if row.model.replaced_by else ""
            )
            days = (ends - work.today).days
            when = "today" if days == 0 else f"in {days} day{'s' if days > 1 else ''}, on {ends}"
            found.append(f"{row.model.qualified} ends {when}{successor}")
    return found


def moving(rows: list[Admitted], work: Work) -> list[str]:
    """Where a provider's own moving id points at something else than our newest."""
    newest: dict[tuple[str, object, str], Admitted] = {}
    for one in rows:
        if work.rule(one.rule).newest:
            newest.setdefault((one.model.provider, one.reading.maker, one.reading.family), one)
    found = []
    for provider, row in work.shelves.items():
        for model_id, model in sorted(row.models.items()):
            if model.points_at is None:
                continue
            target = work.target_of(row, model.points_at)
            ours = newest.get((provider, target.maker, target.family))
            if ours is None or model.points_at in (ours.model.id, ours.model.canonical):
                continue
            if (target.version, target.revision) != (ours.reading.version, ours.reading.revision):
                found.append(
                    f"{provider}: {model_id} points at {model.points_at}, "
                    f"our newest of {ours.reading.family} is {ours.model.id}"
                )
    return found
