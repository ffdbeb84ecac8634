"""The model a person picked as `default`, kept beside the policy. Disk.

    # policy.picked.yaml
    default: anthropic/claude-haiku-4-5

Deleting the file goes back to what the policy says. A pick that is no longer admitted falls back
to the policy's own default by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.errors import PolicyError
from rollcall.files import MOST_TEXT_BYTES, NotUTF8, text_of
from rollcall.store.atomic import read_bytes, remove_named, write_named

if TYPE_CHECKING:
    from pathlib import Path


HEADER = "# Written by `rollcall pick`. Delete this file to go back to the policy's own default.\n"


def picked_path(policy_path: Path) -> Path:
    """Where the pick of a policy is kept: `policy.yaml` -> `policy.picked.yaml`."""
    return policy_path.parent / f"{policy_path.stem}.picked{policy_path.suffix or '.yaml'}"


def read_picked(policy_path: Path) -> tuple[bytes, str | None]:
    """The file's bytes, and the `provider/id` it names; (b"", None) where there is no pick.

    Raises:
        PolicyError: it is there and says something else. StoreError: it cannot be read.
    """
    path = picked_path(policy_path)
    content = read_bytes(path, MOST_TEXT_BYTES)
    if content is None:
        return b"", None
    from rollcall import yaml_reading

    try:
        data = yaml_reading.load(text_of(content))
    except NotUTF8 as error:
        raise _wrong(path, str(error)) from None
    except yaml_reading.UNREADABLE:
        raise _wrong(path, "it is not YAML") from None
    picked = data.get("default") if isinstance(data, dict) and len(data) == 1 else None
    if not isinstance(picked, str) or "/" not in picked:
        raise _wrong(path, "it should say `default: provider/id` and nothing else")
    return content, picked


def write_picked(policy_path: Path, qualified: str) -> Path:
    """Remember `provider/id` as the picked default; returns the file's path.

    Raises:
        StoreError: it cannot be written.
    """
    from rollcall.litellm_config.render import flow  # ruamel.yaml: only to write

    path = picked_path(policy_path)
    if path.is_symlink():  # planted by somebody: what it leads to is no pick
        remove_named(path)
    write_named(path, f"{HEADER}default: {flow(qualified)}\n".encode())
    return path


def forget_picked(policy_path: Path) -> None:
    """Go back to the policy's own default.

    Raises:
        StoreError: the file is there and cannot be removed.
    """
    remove_named(picked_path(policy_path))


def _wrong(path: Path, why: str) -> PolicyError:
    return PolicyError(f"{path} cannot be used: {why}.", "Run `rollcall pick` again, or delete it.")
