"""Which keys of a config or policy hold secrets, by their names: the one list of the words."""

from __future__ import annotations

import re
from typing import Final

PRIVATE_ENDING: Final = (
    r"(?:keys?|secret|password|authorization|credentials?|token)"
    r"(?<!per_token)(?<!reasoning_token)(?:_id)?"
)
"""How such a key ends: a pattern without anchors. Prices end in `per_token` and are no secrets."""

_ENDS: Final = re.compile(rf"{PRIVATE_ENDING}\Z", re.IGNORECASE)


def names_secret(key: object) -> bool:
    """Whether the value of a key of this name should not be written out."""
    return _ENDS.search(str(key)) is not None
