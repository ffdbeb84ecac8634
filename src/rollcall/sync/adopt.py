"""Says which hand-written entries `adopt` takes over, and writes that; `eject` gives ours up.

An entry is taken over only where the managed one says everything it says. What would be lost is
told, with the rule of the policy that would keep it.
"""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.errors import NobodyAsked, PlanError
from rollcall.litellm_config import adoption
from rollcall.litellm_config.document import Entry, lines_of_own_models, parse
from rollcall.litellm_config.effective import alias_target
from rollcall.litellm_config.entries import Unkept, called_by, lost_in, name_of, said_by
from rollcall.litellm_config.refusals import naming_config
from rollcall.litellm_config.writing import with_blocks
from rollcall.plan.decide import decide
from rollcall.policy.file import with_rules
from rollcall.store.atomic import write_named
from rollcall.store.store import open_store
from rollcall.sync.apply import locked, write_edit
from rollcall.sync.gather import gather, read_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.plan.inputs import Inputs
    from rollcall.selection.admission import Admitted
    from rollcall.settings import Settings
    from rollcall.store.config_file import Written


class LeftAlone(NamedTuple):
    """A hand-written entry the policy would produce too, but that would lose something.

    Attributes:
        line: where it stands. why: what it would lose.
        rule: the rule that would keep it, as the policy says it; None where none can.
        before: the rule of the policy, counted from 1, that it belongs in front of.
    """

    name: str
    line: int
    why: str
    rule: dict[str, Any] | None = None
    before: int = 1


@dataclass(frozen=True, slots=True)
class AdoptionPlan:
    """What `adopt` would take over, and what it leaves alone.

    Attributes:
        before, result: config.yaml's bytes, as they are and as they would be.
        taken: (the hand-written entry, the managed one in its place), in the file's order.
        aliases: names of hand-written aliases the policy gives just so.
        strays: model_names of entries of ours whose markers were lost: they come back as they are.
    """

    before: bytes
    result: bytes
    taken: tuple[tuple[Entry, Entry], ...]
    aliases: tuple[str, ...]
    strays: tuple[str, ...]
    left_alone: tuple[LeftAlone, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The model_names that become managed."""
        return tuple(sorted({*(str(entry["model_name"]) for _, entry in self.taken), *self.strays}))


@naming_config
def plan_adoption(settings: Settings) -> AdoptionPlan:
    """Say what would be taken over; writes nothing.

    Raises:
        NobodyAsked: the policy's word cannot be had. ConfigRefused: the file cannot be edited.
    """
    inputs = gather(settings, open_store(settings))
    if not inputs.catalogs:
        raise NobodyAsked("Nobody could be asked: nothing is adopted.", "Try again, or --offline.")
    document = inputs.document
    lines = lines_of_own_models(document)
    taken: dict[int, Entry] = {}
    left: list[LeftAlone] = []
    for index, row in _candidates(inputs):
        entry = document.own_models[index]
        managed = inputs.entry_of(row.model, row.name, row.rule)
        lost = lost_in(entry, managed)
        why = f"would lose {', '.join(lost)}" if lost else adoption.unadoptable(document, index)
        if why is None:
            taken[index] = managed
        else:
            left.append(_left_alone(entry, lines[index], row, why, offer=bool(lost)))
    aliases = frozenset(_aliases(inputs, [str(entry["model_name"]) for entry in taken.values()]))
    strays = tuple(sorted({stray.model_name for stray in document.strays}))
    return AdoptionPlan(
        before=document.raw,
        result=_in_order(inputs, adoption.adopt(document, taken, aliases=aliases)),
        taken=tuple((document.own_models[index], entry) for index, entry in taken.items()),
        aliases=tuple(sorted(aliases)),
        strays=strays,
        left_alone=tuple(left),
    )


def _in_order(inputs: Inputs, adopted: bytes) -> bytes:
    """The text with our entries in the order the rules give them: the next apply moves none."""
    document = parse(adopted)
    managed = document.managed
    if adopted == inputs.document.raw or not managed.models:
        return adopted
    wanted = decide(replace(inputs, document=document)).blocks.models
    place = {name_of(entry): at for at, entry in enumerate(wanted)}
    models = sorted(managed.models, key=lambda entry: place.get(name_of(entry), len(place)))
    return with_blocks(document, managed._replace(models=tuple(models)))


def _candidates(inputs: Inputs) -> Iterator[tuple[int, Admitted]]:
    """The hand-written entries that call the very model the policy admits under their name.

    Not those that share their name with another one: LiteLLM balances between them.
    """
    document = inputs.document
    admitted = {row.name: row for row in inputs.admit(inputs.policy).admitted}
    named = [str(entry.get("model_name")) for entry in document.own_entries]
    named += [str(entry["model_name"]) for entry in document.managed.models]
    count = Counter([*named, *inputs.included_names])
    for index, entry in enumerate(document.own_models):
        name = str(entry.get("model_name")) if isinstance(entry, dict) else ""
        row = admitted.get(name)
        ours = isinstance(entry, dict) and (entry.get("model_info") or {}).get("managed_by")
        if row and count[name] == 1 and not ours and called_by(entry) == row.model.litellm_model:
            yield index, row


def _left_alone(entry: Entry, line: int, row: Admitted, why: str, *, offer: bool) -> LeftAlone:
    name = str(entry["model_name"])
    if not offer:
        return LeftAlone(name, line, why)
    try:
        said = said_by(entry)
    except Unkept as reason:
        return LeftAlone(name, line, f"{why}: {reason}")
    rule = {
        "match": row.model.id,
        "from": [row.model.provider],
        "name": name,
        "key_env": said.key_env,
        "api_base": said.api_base,
        "params": said.params,
        "model_info": said.model_info,
    }
    kept = {key: value for key, value in rule.items() if value not in (None, {})}
    return LeftAlone(name, line, why, kept, row.rule)


def _aliases(inputs: Inputs, taken: list[str]) -> Iterator[str]:
    """The hand-written aliases that the policy would write just as they stand."""
    document = inputs.document
    free = replace(inputs, document=document._replace(own_models=(), own_aliases={}))
    given = decide(free).blocks.aliases
    ours = {*taken, *(stray.model_name for stray in document.strays)}
    ours |= {str(entry["model_name"]) for entry in document.managed.models}
    for name, target in document.own_aliases.items():
        if given.get(name) == target and alias_target(target) in ours:
            yield name


def apply_adoption(settings: Settings, plan: AdoptionPlan) -> Written | None:
    """Write what was planned, if config.yaml is still what it was planned from.

    Returns:
        What the write did; None where there was nothing to adopt.

    Raises:
        PlanError: config.yaml changed meanwhile.
    """
    if plan.result == plan.before:
        return None
    store = open_store(settings)
    with locked(settings, store):
        if store.read_config() != plan.before:
            raise PlanError(
                f"{settings.config_name} changed meanwhile: nothing was adopted.",
                "Run `rollcall adopt` again.",
            )
        return write_edit(settings, store, plan.before, plan.result, "adopt", "adopt")


def add_rules(settings: Settings, plan: AdoptionPlan) -> None:
    """Put the rules that keep what entries say into the policy, each before the one it refines.

    Raises:
        PolicyError: they cannot be put in safely. StoreError: the policy cannot be written.
    """
    path = settings.policy_path
    text, _ = read_policy(settings)
    rules = [(row.before, row.rule) for row in plan.left_alone if row.rule]
    content = with_rules(text.decode("utf-8-sig"), str(path), rules).encode()
    mark = codecs.BOM_UTF8 * text.startswith(codecs.BOM_UTF8)
    write_named(path, mark + content)


@naming_config
def eject(settings: Settings, *, remove: bool = False) -> Written | None:
    """Give the managed entries up: leave them as ordinary ones, or take them out.

    Raises:
        ConfigRefused: it cannot be done without touching the user's lines.
    """
    store = open_store(settings)
    with locked(settings, store):
        document = parse(store.read_config())
        result = adoption.eject(document, remove=remove)
        if result == document.raw:
            return None
        what = "eject --remove" if remove else "eject"
        return write_edit(settings, store, document.raw, result, "eject", what)
