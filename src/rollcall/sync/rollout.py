"""A new config rolled out to a Deployment, and the old one put back where that fails."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rollcall.errors import LaunchError, RollcallError
from rollcall.files import sha256_of
from rollcall.store.store import open_store
from rollcall.sync.apply import write
from rollcall.sync.remember import remember_edit

if TYPE_CHECKING:
    from rollcall.settings import Settings
    from rollcall.sync.apply import Applied


def rolled_out(settings: Settings, applied: Applied, target: str, wait_seconds: float) -> None:
    """Roll a config that was just written out, and wait until every pod is of it.

    Raises:
        LaunchError: the new pods did not become ready. The config before is back, and rolled out
            again, unless the message says otherwise.
    """
    from rollcall.launch.rollout import RolloutFailed, check_target, roll_out

    name = check_target(target)
    namespace = (settings.address or "").removeprefix("configmap://").split("/")[0]
    digest = applied.plan.result_sha256
    try:
        roll_out(settings.environ, namespace, name, digest, wait_seconds)
    except RolloutFailed as error:
        back = _put_back(settings, applied)
        done = "The config before it is back, and rolled out again."
        if back is None:
            done = "The config could not be put back, or somebody else has written it meanwhile."
        else:
            with suppress(RollcallError):
                roll_out(settings.environ, namespace, name, sha256_of(back), wait_seconds)
        raise LaunchError(f"{error.what} {done}", error.hint) from None


def _put_back(settings: Settings, applied: Applied) -> bytes | None:
    """The config before, written again; None where what we wrote is there no more."""
    store = open_store(settings)
    backup = applied.written.backup_id if applied.written else None
    with suppress(RollcallError):
        current = store.read_config()
        if backup is not None and sha256_of(current) == applied.plan.result_sha256:
            before = store.read_backup(backup)
            what = f"rollback to {backup}"
            written = write(settings, store, current, before, what)
            remember_edit(settings, store, what, before, written)
            return before
    return None
