"""What an explanation is made of: stages, each with a verdict and lines. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the way: `verdict` is ok, stop or info; `lines` tell it."""

    title: str
    verdict: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `rollcall explain NAME` says about one thing: `kind` is model, alias or entry."""

    name: str
    kind: str
    stages: tuple[Stage, ...] = field(default=())
