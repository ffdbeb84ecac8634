"""What LiteLLM does otherwise from some release on: doctor says what holds on the one installed.

The traps say what LiteLLM 1.108 does. What changed since stands in one table, and is applied where
their findings are made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.inspect.findings import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.yaml_reading import Place


class Change(NamedTuple):
    """What became of one trap.

    Attributes:
        since: the first release, "1.109.0". now: what LiteLLM does from then on, as the end of a
            sentence; "" where it takes what stands there, and nothing is wrong any more.
        level: how bad that is; None = as bad as before.
    """

    since: str
    now: str = ""
    level: Level | None = None


IGNORED: Final = Change("1.110.0", "it has no effect", Level.WARNING)
CHANGES: Final[Mapping[tuple[str, str], Change]] = {
    ("name_in_header", ""): Change("1.109.0"),
    ("value_does_not_fit", "litellm_settings.responses"): Change("1.109.0"),
    ("no_value", "litellm_settings.responses"): Change("1.109.0"),
    ("alias_map", ""): Change("1.110.0", "LiteLLM passes over it"),
    ("fallbacks_shape", "router_settings.fallbacks"): Change("1.110.0", "LiteLLM finds none"),
    ("fallbacks_shape", "router_settings.content_policy_fallbacks"): Change(
        "1.110.0", "LiteLLM finds none"
    ),
    ("model_info_null", ""): Change("1.110.0"),
    ("name_empty", ""): Change("1.110.0"),
    ("name_not_text", ""): Change("1.110.0"),
    ("router_preferences", ""): Change("1.110.0"),
    ("value_does_not_fit", "model_list.#.model_info.access_groups"): IGNORED,
    ("value_does_not_fit", "router_settings.default_litellm_params"): IGNORED,
    ("value_does_not_fit", "router_settings.health_check_staleness_threshold"): IGNORED,
    ("value_does_not_fit", "router_settings.model_group_affinity_config"): IGNORED,
    ("value_does_not_fit", "router_settings.routing_groups"): IGNORED,
    ("value_does_not_fit", "router_settings.routing_strategy_args"): IGNORED,
    ("value_does_not_fit", "model_list.#.litellm_params.max_parallel_requests"): Change(
        "1.110.0", "LiteLLM does not start"
    ),
    ("variable_no_start", "model_list.#.model_name"): Change(
        "1.110.0", "no call reaches the entry"
    ),
}
"""(code, place as a pattern; "" = any place) -> the change, each seen on a running proxy."""


def as_of(
    release: str | None, level: Level, code: str, what: str, path: Place
) -> tuple[Level, str]:
    """The level and the words of a finding for one release.

    Args:
        release: of the installed LiteLLM. None = not known: then what a newer one takes is a
            warning.
        what: ends in what LiteLLM 1.108 does, behind the last colon.
        path: where it stands.
    """
    change = CHANGES.get((code, pattern_of(path))) or CHANGES.get((code, ""))
    if change is None or (release and _order(release) < _order(change.since)):
        return level, what
    head, _, before = what.rstrip(".").rpartition(": ")
    if change.now and release:
        return change.level or level, f"{head}: {change.now}."
    told = f"{head}: before {change.since} {before}"
    if change.now:
        return change.level or level, f"{told}, since then {change.now}."
    return Level.OK if release else Level.WARNING, f"{told}."


def pattern_of(path: Place) -> str:
    """A place as a pattern, `model_list.#.model_name`: `#` is any item of a list."""
    return ".".join("#" if isinstance(step, int) else str(step) for step in path)


def _order(release: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", release)[:3]))
