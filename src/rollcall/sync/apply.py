"""The story of a run: what is known, what shall change, what is written, what is remembered.

`make_plan` and `apply` are the whole of it. `apply_saved` writes a plan made earlier; `rollback`
and `refresh` are its smaller sisters.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from rollcall.errors import GuardRefused, LostRace, NotFound, PlanError, RollcallError
from rollcall.files import is_there, read_regular, sha256_of
from rollcall.litellm_config.document import Blocks, parse
from rollcall.litellm_config.refusals import naming_config
from rollcall.settings import stamp
from rollcall.store.freshness import policy_digest
from rollcall.store.store import Store, open_store
from rollcall.sync.gather import gather, read_pick, read_policy_bytes
from rollcall.sync.trial import try_models

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rollcall.plan.decide import Decision
    from rollcall.plan.inputs import Inputs
    from rollcall.plan.plan import Plan
    from rollcall.providers.fetch import Observer
    from rollcall.settings import Settings
    from rollcall.store.config_file import Written

    Check = Callable[[bytes], None]
    """Called with the new text before it replaces the file; raises to stop it."""


MOST_RACES = 3
LOCK_WAIT_SECONDS = 5.0
"""How long a run waits for another one, where `--deadline` does not say."""


class Planned(NamedTuple):
    """A plan, what it was made from, and the bytes config.yaml would have."""

    plan: Plan
    inputs: Inputs
    decision: Decision
    result: bytes


class Applied(NamedTuple):
    """What applying did.

    Attributes:
        written: None when there was nothing to do.
        planned: how the plan came about; None for a saved one.
    """

    plan: Plan
    written: Written | None
    notes: tuple[str, ...] = ()
    planned: Planned | None = None

    @property
    def changed(self) -> bool:
        """Whether a proxy that reads the result needs a restart."""
        return self.written is not None and self.written.changed


@naming_config
def make_plan(
    settings: Settings,
    observer: Observer | None = None,
    store: Store | None = None,
    *,
    trial: bool = False,
) -> Planned:
    """Ask, decide, and say what would change; writes nothing.

    Args:
        trial: call the models that have to answer first, as the policy's guards say.

    Raises:
        PolicyError, ConfigRefused, PlanError, StoreError, SettingsError: see their docstrings.
    """
    store = store or open_store(settings)
    began = time.monotonic()
    inputs = gather(settings, store, observer)
    from rollcall.litellm_config.writing import with_blocks
    from rollcall.plan.decide import decide
    from rollcall.plan.plan import plan_of

    decision = decide(inputs)
    if trial:
        inputs, decision = try_models(settings, inputs, decision, decide, began)
    replace_all = inputs.policy.model_list == "replace"
    result = with_blocks(inputs.document, decision.blocks, replace=replace_all)
    return Planned(plan_of(inputs, decision, result), inputs, decision, result)


def apply(
    settings: Settings,
    observer: Observer | None = None,
    *,
    write_to: Path | None = None,
    check: Check | None = None,
) -> Applied:
    """Plan and write, under the lock of this config.yaml.

    In a store without locks, who loses a race plans again on what is there then, twice.

    Args:
        write_to: write the result there, and only read config.yaml. Where nothing may change
            and nothing is there yet, config.yaml is copied as it is: a proxy is to start on it.

    Where a guard refuses the plan, or nobody could be asked, nothing is written, and the plan that
    comes back says so.

    Raises:
        LockBusy: another run is at it. LostRace: others were faster every time. And as make_plan.
    """
    to = _Destination(settings, open_store(settings), write_to, check)
    for _ in range(MOST_RACES - 1):
        with suppress(LostRace):
            return _apply_once(to, observer)
    return _apply_once(to, observer)


def _apply_once(to: _Destination, observer: Observer | None) -> Applied:
    with locked(to.settings, to.store) as mended:
        planned = make_plan(to.settings, observer, to.store, trial=True)
        plan, before = planned.plan, planned.inputs.document.raw
        text = _text_to_write(planned, to.write_to)
        written = to.written(plan, before, text)
        left = to.left(before, text)
        from rollcall.sync.remember import remember

        notes = remember(to.settings, to.store, planned.inputs, plan, left, written)
    return Applied(plan, written, mended + notes, planned)


def _text_to_write(planned: Planned, write_to: Path | None) -> bytes | None:
    """The text a run leaves in config.yaml, or at `write_to`; None = nothing is to be written."""
    plan, before = planned.plan, planned.inputs.document.raw
    if plan.stands_still:
        return before if before and write_to is not None and not is_there(write_to) else None
    return planned.result if plan.changed or write_to is not None else None


class _Destination(NamedTuple):
    """Where a run's text goes: into config.yaml or, where that is only read, to `write_to`; and the
    check that has to let it pass first.
    """

    settings: Settings
    store: Store
    write_to: Path | None
    check: Check | None

    def written(self, plan: Plan, before: bytes, text: bytes | None) -> Written | None:
        """Write `text`, unless there is nothing to write; a changed one is checked first."""
        if text is None:
            return None
        if self.write_to is not None:
            _refuse_lost_includes(text, self.write_to)
        if self.check is not None and text != before:
            self.check(text)
        from rollcall.plan.changes import counts

        reason = counts(plan.changes)
        return write(self.settings, self.store, before, text, reason, self.write_to)

    def left(self, before: bytes, text: bytes | None) -> bytes:
        """What stands in config.yaml once that is written."""
        return before if text is None or self.write_to is not None else text


def apply_saved(
    settings: Settings,
    plan: Plan,
    *,
    write_to: Path | None = None,
    check: Check | None = None,
) -> Applied:
    """Write exactly a saved plan; `write_to` and `check` as in `apply`.

    Raises:
        PlanError: config.yaml or the policy is not what the plan was made from.
        GuardRefused: a guard had refused the plan and `force` is not set.
    """
    from rollcall.sync.remember import remember_saved

    if plan.refused and not settings.force:
        refusal = plan.refused[0]
        raise GuardRefused(
            f"The saved plan was refused ({refusal.guard}): {refusal.reason}.",
            f"To accept it: {refusal.accept}; then make a new one.",
        )
    plan = plan.model_copy(update={"refused": []})
    to = _Destination(settings, open_store(settings), write_to, check)
    with locked(settings, to.store) as mended:
        before = to.store.read_config()
        if plan.config_version and plan.config_version != to.store.version:
            raise PlanError(f"{settings.config_name} was written since the plan was made.")
        policy_text = _same_files(settings, plan, before)
        result = _result_of(plan, before)
        text = result if result != before or write_to is not None else None
        written = to.written(plan, before, text)
        left = to.left(before, text)
        notes = remember_saved(settings, to.store, plan, policy_text, left, written)
    return Applied(plan, written, mended + notes)


def locked(settings: Settings, store: Store) -> AbstractContextManager[tuple[str, ...]]:
    """The lock of this config.yaml, waited for as long as the user says; yields notes.

    Raises:
        LockBusy: another run is at it. StoreError: an interrupted write could not be repaired.
    """
    return store.locked(settings.deadline_seconds or LOCK_WAIT_SECONDS)


def _refuse_lost_includes(text: bytes, write_to: Path) -> None:
    """Refuse a target from which the config's relative includes lead nowhere: LiteLLM would not
    start there.
    """
    if b"include" not in text:
        return
    from rollcall.store.includes import lost_at

    lost = lost_at(write_to, parse(text).data)
    if lost:
        raise PlanError(
            f"{write_to}: LiteLLM would not start there, {lost[0]} of `include:` is not beside it.",
            "Write to the same folder, put the included files there first, or name whole paths.",
        )


def ensure_loadable(settings: Settings, write_to: Path) -> bool:
    """See to it that a config that loads stands at `write_to`: else copy config.yaml there as it
    is, if that one loads. Returns whether one stands there.
    """
    with suppress(RollcallError, OSError):
        if parse(read_regular(write_to)).data:
            return True
    with suppress(RollcallError, OSError):
        store = open_store(settings)
        before = store.read_config()
        if parse(before).data:
            _refuse_lost_includes(before, write_to)
            with locked(settings, store):
                write(settings, store, before, before, "a copy", write_to)
            return True
    return False


def _same_files(settings: Settings, plan: Plan, config: bytes) -> str:
    """The policy's text, after checking that nothing changed since the plan was made."""
    if sha256_of(config) != plan.config_sha256:
        raise PlanError(f"{settings.config_name} changed since the plan was made.")
    policy_bytes = read_policy_bytes(settings)
    if policy_digest(policy_bytes, read_pick(settings)[0]) != plan.policy_sha256:
        raise PlanError(f"{settings.policy_path} changed since the plan was made.")
    return policy_bytes.decode("utf-8", "replace")


def _result_of(plan: Plan, config: bytes) -> bytes:
    """config.yaml with the plan's blocks; the plan knows its sha256."""
    if not plan.changed:
        return config
    from rollcall.litellm_config.writing import with_blocks
    from rollcall.plan.masking import restored

    document = parse(config)
    blocks = Blocks(
        models=restored(plan.blocks.models, document.managed),
        aliases=plan.blocks.aliases,
        fallbacks=tuple(plan.blocks.fallbacks),
    )
    result = with_blocks(document, blocks, replace=plan.replace)
    if sha256_of(result) != plan.result_sha256:
        raise PlanError("The saved plan does not give the file it says it gives.")
    return result


def rollback(settings: Settings, backup_id: str | None = None) -> tuple[str, Written | None]:
    """Restore an earlier config.yaml, by default the one before the last write.

    Returns:
        The id that was restored, and what the write did; None when it already was that text.

    Raises:
        NotFound: there is no such backup. StoreError: it cannot be read or written.
    """
    store = open_store(settings)
    with locked(settings, store):
        before = store.read_config()
        chosen = store.find_backup(backup_id).id if backup_id else _last_other(store, before)
        content = store.read_backup(chosen)
        if content == before:
            return chosen, None
        what = f"rollback to {chosen}"
        return chosen, write_edit(settings, store, before, content, "rollback", what)


def _last_other(store: Store, current: bytes) -> str:
    """The newest backup that is not what stands there now (a write cut short leaves such a one)."""
    backups = store.backups()
    if not backups:
        raise NotFound("There is no earlier config.yaml to go back to.", "Nothing was changed.")
    others = (row.id for row in backups if store.read_backup(row.id) != current)
    return next(others, backups[0].id)


def refresh(settings: Settings) -> None:
    """Ask the providers anew and keep what they say, without touching config.yaml.

    Raises:
        PolicyError, ConfigRefused, StoreError: see their docstrings.
    """
    from rollcall.sync import remember

    store = open_store(settings)
    inputs = gather(settings, store)
    with locked(settings, store):
        remember.remember_replies(store, inputs)


def write(
    settings: Settings,
    store: Store,
    before: bytes,
    result: bytes,
    reason: str,
    write_to: Path | None = None,
) -> Written:
    """Replace config.yaml, which was `before` when it was read."""
    return store.write_config(
        result, expected=before, created=stamp(settings), reason=reason, write_to=write_to
    )


def write_edit(
    settings: Settings, store: Store, before: bytes, result: bytes, command: str, what: str
) -> Written:
    """The same otherwise than by a plan, and keep on record which `command` did it, and `what`."""
    from rollcall.sync.remember import remember_edit

    written = write(settings, store, before, result, what)
    remember_edit(settings, store, command, what, result, written)
    return written
