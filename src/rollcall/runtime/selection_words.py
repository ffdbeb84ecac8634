"""What a role's `select:` may say: the policy's own words for picking a model."""

from __future__ import annotations

from pydantic import Field

from rollcall.policy.schema import Choice


class Selection(Choice):
    """One way to pick a model from the catalog, in the words of policy.yaml's aliases:
    `family`, `from`, `where`, `cheapest`, `largest_context`, `first_of`.
    """

    first_of: tuple[Choice, ...] = Field(
        (), description="The first of these choices that finds a model."
    )
