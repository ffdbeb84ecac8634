"""A plan: what would change in config.yaml and why. Pure values, and the JSON they are saved as.

A plan holds only rollcall's own lines. It can be saved, read by a person or another program, and
applied later; applying refuses when config.yaml or the policy changed in between.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rollcall.errors import PlanError

SCHEMA = 1


class ChangeKind(StrEnum):
    """What a change does to our lines."""

    ADD = "add"
    REMOVE = "remove"
    UPDATE = "update"
    ALIAS = "alias"
    FALLBACK = "fallback"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Change(_Row):
    """One change. `before` and `after` are plain data of our own entries; None = not there."""

    kind: ChangeKind
    name: str
    before: Any = None
    after: Any = None
    reason: str = ""


class HeldChange(_Row):
    """A change a guard held back while the rest goes on; `accept` is what lets it through."""

    name: str
    change: str
    reason: str
    accept: str = ""


class Refusal(_Row):
    """A guard that refuses the whole plan. `accept`: what the user can do to let it through."""

    guard: str
    reason: str
    accept: str = ""


class ProviderLine(_Row):
    """One provider's verdict. `models`: how many it listed; `stale_since`: ISO 8601 UTC."""

    name: str
    verdict: str
    models: int = 0
    elapsed_ms: int = 0
    detail: str = ""
    stale_since: str | None = None


class PlanBlocks(_Row):
    """What shall stand between our markers; see `config_document.Blocks`."""

    models: list[dict[str, Any]] = []
    aliases: dict[str, Any] = {}
    fallbacks: list[dict[str, list[str]]] = []


class Plan(_Row):
    """The whole plan; `plan --json` and `plan --out` print exactly this.

    Attributes:
        changed: config.yaml would be written. refused: the guards that refuse it, if any.
        config_sha256, policy_sha256: of the files the plan was made from.
        result_sha256: of config.yaml after it. replace: `model_list: replace` is in force.
        nobody: no provider could be asked. unreachable: providers with a key that were not.
        accepted: names that `--accept` let through; remembered when the plan is applied.
    """

    schema_version: int = Field(default=SCHEMA, alias="schema")
    changed: bool
    refused: list[Refusal] = []
    config_sha256: str
    policy_sha256: str
    result_sha256: str
    replace: bool = False
    blocks: PlanBlocks
    changes: list[Change] = []
    held: list[HeldChange] = []
    providers: list[ProviderLine] = []
    warnings: list[str] = []
    nobody: bool = False
    unreachable: list[str] = []
    accepted: list[str] = []

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    def to_json(self) -> str:
        """The saved form: stable key order, two-space indent, ASCII, final newline."""
        import json

        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2) + "\n"


def read_plan(text: str, name: str) -> Plan:
    """Read a saved plan.

    Raises:
        PlanError: not JSON, not a plan, or of another schema version.
    """
    again = "Make a new one with `rollcall plan --out FILE`."
    try:
        plan = Plan.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PlanError(f"{name} is not a saved plan ({place}: {first['msg']}).", again) from None
    if plan.schema_version != SCHEMA:
        raise PlanError(
            f"{name} has plan schema {plan.schema_version}, this rollcall reads {SCHEMA}.", again
        )
    return plan


def counts(changes: list[Change]) -> str:
    """One line that says how much changes: `2 added, 1 updated, 1 alias moved`."""
    words = {
        ChangeKind.ADD: "added",
        ChangeKind.UPDATE: "updated",
        ChangeKind.REMOVE: "removed",
        ChangeKind.ALIAS: "alias changed",
        ChangeKind.FALLBACK: "fallback changed",
    }
    plural = {"alias changed": "aliases changed", "fallback changed": "fallbacks changed"}
    parts = []
    for kind, word in words.items():
        number = sum(1 for change in changes if change.kind is kind)
        if number:
            parts.append(f"{number} {plural.get(word, word) if number > 1 else word}")
    return ", ".join(parts) or "no changes"
