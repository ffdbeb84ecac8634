"""What the commands that change files say: backups, entries that changed hands, a picked model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rollcall.errors import NotFound, SettingsError
from rollcall.policy.file import rule_text
from rollcall.providers.builtin import BUILTIN, find_key
from rollcall.report.tables import show_table
from rollcall.report.text import is_terminal, out, out_json, printable, say, say_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rollcall.inspect.inventory import ModelRow
    from rollcall.plan.proposal import Proposal
    from rollcall.store.backups import Backup
    from rollcall.store.config_file import Written
    from rollcall.sync.adopt import AdoptionPlan
    from rollcall.sync.first_policy import FirstPolicy


def show_backups(backups: Sequence[Backup], *, as_json: bool = False) -> None:
    """Print the earlier config.yaml files, newest first."""
    if as_json:
        out_json(backups)
    elif not backups:
        out("No earlier config.yaml is kept yet.")
    else:
        show_table(
            ("id", "replaced at", "bytes", "by"),
            [(row.id, row.created, row.size, row.reason) for row in backups],
            right=("bytes",),
        )


def show_restored(
    backup_id: str, written: Written | None, path: str, *, as_json: bool = False
) -> None:
    """Print what a rollback did."""
    if as_json:
        backup = written.backup_id if written else None
        out_json({"restored": backup_id, "changed": written is not None, "backup_id": backup})
    elif written is None:
        out(f"{path} already is {backup_id}: nothing to do.")
    else:
        out(f"{path}: restored {backup_id}. A running LiteLLM does not notice: restart it.")
    if written is not None:
        say_all(written.notes, mark="note: ")


def show_adoption(plan: AdoptionPlan, path: str) -> None:
    """Print what `adopt` would write, as a diff of entries, and what it leaves alone, and why."""
    from rollcall.litellm_config.document import Blocks
    from rollcall.plan.masking import text_of
    from rollcall.report.plan import show_diff

    before = text_of(Blocks(models=tuple(own for own, _ in plan.taken)))
    after = text_of(Blocks(models=tuple(managed for _, managed in plan.taken)))
    show_diff(before, after)
    for name in plan.strays:
        out(f"takes back {printable(name)}: its markers were lost")
    for name in plan.aliases:
        out(f"takes over the alias {printable(name)} as it is")
    for row in plan.left_alone:
        out(f"{path}:{row.line}: {printable(row.name)} is left alone: {printable(row.why)}")
    rules = [row for row in plan.left_alone if row.rule]
    if rules:
        out("These rules would keep what they say (`rollcall adopt --write-policy` adds them):")
        for row in rules:
            out(f"  - {printable(rule_text(row.rule or {}), limit=2000)}")


def show_new_rules(plan: AdoptionPlan, path: Path) -> None:
    """Print the rules that `--write-policy` adds, each with the rule it stands in front of."""
    for row in plan.left_alone:
        if row.rule:
            out(f"{path}: in front of rule {row.before}:")
            out(f"  + - {printable(rule_text(row.rule), limit=2000)}")


def show_adopted(
    plan: AdoptionPlan, written: Written | None, path: str, *, as_json: bool = False
) -> None:
    """Print what became managed."""
    if as_json:
        left = [row._asdict() for row in plan.left_alone]
        out_json(
            {
                "names": plan.names,
                "aliases": plan.aliases,
                "changed": written is not None,
                "pending": written is None and plan.result != plan.before,
                "left_alone": left,
            }
        )
    elif written is not None:
        out(f"{path}: {len(plan.names)} adopted. `rollcall rollback` undoes it.")
    elif plan.result == plan.before:
        out(f"{path}: nothing to adopt.")
    else:
        out("Nothing was written. To write it: rollcall adopt --yes")
    say_all(written.notes if written else (), mark="note: ")


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether a person says yes; without one at a terminal, whether `--yes` was given."""
    if yes or not is_terminal(sys.stdin):
        return yes
    say(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def show_ejected(
    written: Written | None, path: str, *, removed: bool, as_json: bool = False
) -> None:
    """Print what was given up."""
    if as_json:
        out_json({"changed": written is not None, "removed": removed})
    elif written is None:
        out(f"{path}: there is nothing of rollcall in it.")
    else:
        what = "the managed entries are gone" if removed else "the managed entries are yours now"
        out(f"{path}: {what}. `rollcall rollback` undoes it.")
    say_all(written.notes if written else (), mark="note: ")


def choose(rows: Sequence[ModelRow], given: str | None) -> str:
    """`provider/id` of the row a person chooses, or of the one `given` names.

    Raises:
        NotFound: nothing is called that. SettingsError: nobody is at a terminal to ask.
    """
    if not rows:
        raise NotFound("There is no managed model in the config to pick.", "Run rollcall apply.")
    if given is not None:
        return _named(rows, given)
    if not is_terminal(sys.stdin):
        raise SettingsError("Nobody is at a terminal to ask.", "Name it: rollcall pick NAME")
    family = ""
    for number, row in enumerate(rows, start=1):
        if row.family != family:
            family = row.family
            say(printable(family or "other"))
        say(f"  {number:>3}  {printable(row.name or row.id)}{_note(row)}")
    return _asked(rows)


def _asked(rows: Sequence[ModelRow]) -> str:
    while True:
        say(f"Which one shall `default` be? 1 to {len(rows)}:")
        answer = sys.stdin.readline()
        if not answer:
            raise KeyboardInterrupt
        if answer.strip().isdigit() and 1 <= int(answer) <= len(rows):
            row = rows[int(answer) - 1]
            return f"{row.provider}/{row.id}"


def _named(rows: Sequence[ModelRow], given: str) -> str:
    for row in rows:
        if given in (row.name, row.id, f"{row.provider}/{row.id}"):
            return f"{row.provider}/{row.id}"
    names = ", ".join(printable(row.name or row.id) for row in rows[:8])
    raise NotFound(f"{given!r} is not in the config.", f"There is: {names}.")


def _note(row: ModelRow) -> str:
    price = "" if row.input_price is None else f", ${row.input_price:.4g} in per 1M"
    return f"  ({row.version or 'no version'}{price}{'' if row.ready else ', no key'})"


def show_first_policy(path: Path, first: FirstPolicy, environ: Mapping[str, str]) -> None:
    """What a first policy is, and what becomes of each hand-written entry."""
    out(f"{path}: written.")
    if first.starts_with:
        unset = not any(find_key(BUILTIN[name], environ) for name in first.starts_with)
        more = ", to begin with: no key is set yet" if unset else ""
        out(f"Rules for {', '.join(first.starts_with)}{more}.")
    elif first.proposal is None:
        out("It names every provider; those whose key is not set wait.")
    else:
        for line in _kept_and_left(first.proposal):
            out(line)
    out("Next: rollcall plan")


def _kept_and_left(found: Proposal) -> Iterator[str]:
    """How many entries the rules keep; which are left alone, by reason; which are dead."""
    entries = "1 entry" if found.total == 1 else f"{found.total} entries"
    yield f"Your config.yaml has {entries}: {found.covered} kept by rules."
    reasons: dict[str, list[tuple[str, int]]] = {}
    for row in found.left_alone:
        reasons.setdefault(row.why, []).append((row.name, row.line))
    for why, rows in reasons.items():
        yield f"  left alone, {why}: {_listed(rows)}"
    said = {(row.name, row.line) for row in found.left_alone}
    for dead in found.dead:
        if (dead.name, dead.line) not in said:
            why = f"{dead.provider} no longer lists {dead.id}"
            yield f"  dead, line {dead.line}: {dead.name}: {why}"
    for name in sorted(found.silent):
        yield f"  {name} did not answer: its rules are comments, for you to switch on"


def _listed(rows: Sequence[tuple[str, int]], most: int = 8) -> str:
    shown = [f"{name} (line {line})" for name, line in rows[:most]]
    return ", ".join(shown) + (f" and {len(rows) - most} more" if len(rows) > most else "")
