"""Whether the last run is recent enough that `start` need not ask again.

A small stamp of its own, read with nothing but json, so that a start within the time to live
costs next to no time. It counts only while config.yaml, the policy, the mode and the set of keys
are what they were. Losing or garbling it costs one more run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rollcall.files import is_foreign, read_regular, sha256_of
from rollcall.settings import Mode
from rollcall.store.folder import config_folder
from rollcall.store.picks import picked_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rollcall.settings import Settings


STAMP = "fresh.json"


def policy_digest(policy: bytes, pick: bytes) -> str:
    """What a policy file and a person's pick are known by; both are empty in legacy mode."""
    return sha256_of(policy + pick)


def _digest_now(settings: Settings) -> str:
    if settings.mode is Mode.LEGACY:
        return policy_digest(b"", b"")
    pick = picked_path(settings.policy_path)
    return policy_digest(_read(settings.policy_path), _read(pick))


def make_stamp(
    settings: Settings,
    *,
    config: bytes,
    policy_sha256: str,
    ttl_seconds: float,
    key_names: Iterable[str],
) -> str:
    """The stamp of a run that has just gone well.

    Args:
        config: as the run left it. policy_sha256: `policy_digest` of the bytes the run read.
    """
    return json.dumps(
        {
            "at": settings.now.timestamp(),
            "ttl_seconds": ttl_seconds,
            "config_sha256": sha256_of(config),
            "policy_sha256": policy_sha256,
            "mode": settings.mode.value,
            "keys": _keys(settings, key_names),
        }
    )


def _keys(settings: Settings, names: Iterable[str]) -> dict[str, bool]:
    """Which of the keys there are."""
    return {name: bool(settings.environ.get(name)) for name in sorted(names)}


def is_fresh(settings: Settings) -> bool:
    """Whether the last good run still stands; any doubt is a no."""
    try:
        if is_foreign(settings.state_dir):
            return False
        home = config_folder(settings.config_path, settings.state_dir)
        return still_stands(settings, read_regular(home / STAMP), _read(settings.config_path))
    except (OSError, ValueError):
        return False


def still_stands(settings: Settings, content: bytes, config: bytes) -> bool:
    """Whether the run that left this stamp still stands for this config; any doubt is a no."""
    try:
        stamp = json.loads(content)
        ttl = stamp["ttl_seconds"] if settings.ttl_seconds is None else settings.ttl_seconds
        age = settings.now.timestamp() - stamp["at"]
        return bool(
            0 <= age < ttl
            and stamp["mode"] == settings.mode.value
            and stamp["config_sha256"] == sha256_of(config)
            and stamp["policy_sha256"] == _digest_now(settings)
            and stamp["keys"] == _keys(settings, stamp["keys"])
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False
    except (RecursionError, ArithmeticError):  # a stamp somebody made up
        return False


def _read(path: Path) -> bytes:
    return read_regular(path) if path.exists() else b""
