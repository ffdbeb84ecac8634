"""Reads policy.yaml and says what is wrong with it: file, line, field, and what to write instead.

The shape is the schema's; here is what a schema cannot say: names that must exist, keys that must
not be written out, times that leave none.
"""

from __future__ import annotations

from copy import copy
from math import isfinite
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from rollcall.catalog.model import CAPABILITIES
from rollcall.errors import PolicyError, did_you_mean, nearest, shown
from rollcall.policy.problems import Problem, in_order, problems_in
from rollcall.policy.schema import Policy
from rollcall.policy.words import FIELDS, OURS, PROVIDER_NAME, VARIABLE, template_error
from rollcall.providers.registry import NO_ADDRESS, STATIC, fault_of
from rollcall.providers.rows import is_id
from rollcall.secrets import is_written_out, names_secret
from rollcall.settings import web_parts
from rollcall.yaml_reading import YamlProblem, read_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rollcall.policy.rules import Additions, AliasSpec, Choice, Rule
    from rollcall.policy.schema import ProviderPolicy
    from rollcall.yaml_reading import Document, Place

MOST_EXTRAS = 500
NO_VARIABLE = (
    "is not the name of an environment variable",
    "Name the environment variable that holds the key, never the key itself.",
)


def problems_of(policy: Policy) -> list[Problem]:
    """Everything wrong with a policy that has the right shape."""
    if not policy.providers:
        hint = "Name whom to ask, for example `openrouter: {}`."
        return [Problem(("providers",), "nobody is to be asked", hint)]
    found = list(_naming(("naming",), policy.naming))
    found += [
        Problem(("defaults", field), "leaves no time to answer", "Write 2s.")
        for field in ("timeout", "deadline")
        if not getattr(policy.defaults, field)
    ]
    found += _added(("defaults",), policy.defaults)
    for name, provider in policy.providers.items():
        found += _provider(("providers", name), name, provider)
    for index, rule in enumerate(policy.allow):
        found += _rule(("allow", index), rule, policy)
    for name, spec in (policy.aliases or {}).items():
        found += _alias(("aliases", name), name, spec, policy)
    return found


def _provider(place: Place, name: str, provider: ProviderPolicy) -> Iterator[Problem]:
    if not PROVIDER_NAME.fullmatch(name):
        hint = "Use letters, digits, dots, dashes and underscores."
        yield Problem(place, "not a name for a provider", hint)
    elif fault := fault_of(name, provider.type, provider.base_url):
        field = (fault.field,) if fault.field else ()
        yield Problem((*place, *field), fault.what, fault.hint)
    if provider.api_base is not None and web_parts(provider.api_base) is None:
        yield Problem((*place, "api_base"), *NO_ADDRESS)
    yield from _static(place, provider)
    if provider.timeout == 0:
        yield Problem((*place, "timeout"), "leaves no time to answer", "Write 2s.")
    if any(not VARIABLE.fullmatch(variable) for variable in provider.key_env or ()):
        yield Problem((*place, "key_env"), *NO_VARIABLE)
    yield from _added(place, provider)


def _static(place: Place, provider: ProviderPolicy) -> Iterator[Problem]:
    """What is wrong with the models of a provider that has no list."""
    if (provider.type == STATIC) != bool(provider.models):
        hint = "A provider without a list has `type: static` and `models: [id, ...]`."
        what = "only type static has models" if provider.models else "type static needs models"
        yield Problem(place, what, hint)
    for index, model in enumerate(provider.models):
        at = (*place, "models", index)
        if not is_id(model.id):
            yield Problem(at, "is not an id", "Write it as LiteLLM takes it.")
        for word in (one for one in model.capabilities if one not in CAPABILITIES):
            hint = did_you_mean(word, CAPABILITIES) or f"There are: {', '.join(CAPABILITIES)}."
            yield Problem((*at, "capabilities"), f"unknown capability {shown(word)}", hint)


def _rule(place: Place, rule: Rule, policy: Policy) -> Iterator[Problem]:
    yield from _from(place, rule.from_, policy)
    if rule.name is not None:
        yield from _naming((*place, "name"), rule.name)
    if rule.balance and (rule.name is None or "{" in rule.name):
        hint = "Give the rules of one group the same `name`, without braces."
        yield Problem((*place, "balance"), "a group needs a name of its own", hint)
    if rule.key_env is not None and not VARIABLE.fullmatch(rule.key_env):
        yield Problem((*place, "key_env"), *NO_VARIABLE)
    if rule.key_env is not None and rule.params.get("litellm_credential_name"):
        hint = "Keep one of the two: in LiteLLM a key wins over a credential."
        yield Problem((*place, "key_env"), "stands beside litellm_credential_name", hint)
    if rule.api_base is not None and web_parts(rule.api_base) is None:
        yield Problem((*place, "api_base"), *NO_ADDRESS)
    yield from _added(place, rule)


def _added(place: Place, layer: Additions) -> Iterator[Problem]:
    """What is wrong with the `params` and `model_info` of a rule, a provider or `defaults`."""
    if "model" in layer.params:
        hint = "Admit the model by `match`, and give its name by `name`."
        yield Problem((*place, "params", "model"), "the model comes from the provider's list", hint)
    yield from _extras((*place, "params"), layer.params)
    yield from _extras((*place, "model_info"), layer.model_info)
    yield from _misfits((*place, "params"), "litellm_params", layer.params)
    yield from _misfits((*place, "model_info"), "model_info", layer.model_info)
    for field in OURS:
        if field in layer.model_info:
            hint = "Leave it out: it says whose entry this is."
            yield Problem((*place, "model_info", field), "is written by rollcall", hint)


def _misfits(place: Place, section: str, fields: dict[str, Any]) -> Iterator[Problem]:
    """What LiteLLM would stumble over in every entry that gets it."""
    if not fields:
        return
    from rollcall.litellm_config.fields import misfits

    for field, value, wrong in misfits(section, fields):
        said = "" if names_secret(field) else f"{shown(value)} "
        what = f"{said}is not {wrong.wanted}: {wrong.consequence}"
        hint = "Put it in quotes." if wrong.in_quotes else f"Write {wrong.wanted}."
        yield Problem((*place, field), what, hint)


def _extras(place: Place, value: Any) -> Iterator[Problem]:
    """What a rule adds goes into config.yaml as it is: it must be plain, and hold no secret."""
    waiting: list[tuple[Place, Any]] = [(place, value)]
    for count, (at, node) in enumerate(waiting):
        if count > MOST_EXTRAS:
            what = f"holds more than {MOST_EXTRAS} values, or refers to itself"
            yield Problem(place, what, "Write out what is needed.")
            return
        key = next((part for part in reversed(at) if isinstance(part, str)), "")
        if isinstance(node, dict):
            waiting += [((*at, name), inner) for name, inner in node.items()]
        elif isinstance(node, list):
            waiting += [((*at, index), inner) for index, inner in enumerate(node)]
        elif not _is_plain(node):
            yield Problem(at, f"{shown(node)} is not a plain value", "Put it in quotes.")
        elif is_written_out(key, node):
            hint = "Write os.environ/NAME, the environment variable that holds it."
            yield Problem(at, "a key must not be written out", hint)


def _is_plain(value: object) -> bool:
    """Whether every YAML reader and JSON take a value alike: no dates, no .nan, no bytes."""
    if isinstance(value, float):
        return isfinite(value)
    return value is None or isinstance(value, str | int | bool)


def _alias(place: Place, name: str, spec: AliasSpec, policy: Policy) -> Iterator[Problem]:
    if not name.strip() or "*" in name:
        yield Problem(place, "not a name for an alias", "LiteLLM reads * as a wildcard.")
    for at, rule in enumerate(policy.allow, start=1):
        if name == (rule.name or policy.naming) and "{" not in name:
            what = f"rule {at} gives a model that name, and nobody could reach it any more"
            hint = f"Rename the alias, or give rule {at} another `name`."
            yield Problem(place, what, hint, at_name=True)
            break
    options: list[tuple[Place, Choice]] = [(place, spec)]
    options += [((*place, "first_of", index), one) for index, one in enumerate(spec.first_of)]
    for where, choice in options:
        yield from _from(where, choice.from_, policy)
        if choice.model is not None and choice.model in (policy.aliases or {}):
            hint = "LiteLLM follows one step only: name the model itself."
            yield Problem(where, f"points at the alias {shown(choice.model)}", hint)
    if name in spec.fallbacks:
        hint = "Name another alias or model."
        yield Problem((*place, "fallbacks"), "falls back to itself", hint)


def _from(place: Place, names: tuple[str, ...], policy: Policy) -> Iterator[Problem]:
    for name in names:
        if name not in policy.providers:
            near = did_you_mean(name, policy.providers)
            hint = near or f"Add it under providers, or use: {', '.join(policy.providers)}."
            yield Problem((*place, "from"), f"{shown(name)} is not among the providers", hint)


def _naming(place: Place, template: str) -> Iterator[Problem]:
    wrong = template_error(template)
    if wrong is not None:
        what, word = wrong
        hint = (word and did_you_mean(word, FIELDS)) or f"Fields: {', '.join(FIELDS)}."
        yield Problem(place, what, hint)


STARTER = "`rollcall init` writes a starter policy; `rollcall schema` lists every field."


def load_policy(text: str, name: str) -> Policy:
    """Read a policy file's text; `name` is what messages call the file.

    Raises:
        PolicyError: two lines for each thing that is wrong:
            `policy.yaml:12: allow[3].newst: unknown field`, and what to write instead.
    """
    try:
        document = read_document(text)
    except YamlProblem as error:
        where = f"{name} is" if error.line is None else f"{name}:{error.line}:"
        raise PolicyError(f"{where} {error.problem}.", error.hint) from None
    if document.data is None:
        raise PolicyError(f"{name} is empty.", STARTER)
    if not isinstance(document.data, dict):
        raise PolicyError(f"{name} is not a policy: it holds no `name: value` lines.", STARTER)
    try:
        policy = Policy.model_validate(document.data)
    except ValidationError as error:
        from rollcall.policy.json_schema import json_schema

        problems = problems_in(error, document.data, json_schema(), required_hint=STARTER)
        problems += _problems_beside(problems, document.data)
    else:
        problems = problems_of(policy)
    if problems:
        raise _error(problems, document, name)
    return policy


_STAND_INS: dict[str, Any] = {"providers": {}, "allow": {"match": "*"}, "aliases": {"model": "x"}}
"""What has parts of its own, and what stands for one that is wrong while others are checked."""
_WHOM = ("type", "base_url", "models")
"""The fields by which a provider is known."""


def _part(place: Place) -> Place:
    return place[: 2 if place[0] in _STAND_INS else 1]


def _problems_beside(misshapen: Sequence[Problem], data: Mapping[str, Any]) -> list[Problem]:
    """What else is wrong, in the parts that have the right shape: providers, rules, aliases, other
    fields at the top. Of a provider that has not, what is left without its wrong fields is checked.
    """
    wrong: dict[Place, set[str]] = {}
    for one in misshapen:
        wrong.setdefault(_part(one.place), set()).update(str(word) for word in one.place[2:3])
    sound = {name: copy(value) for name, value in data.items()}
    unchecked = set(wrong)
    for place, fields in wrong.items():
        section = str(place[0])
        if len(place) == 1:
            sound.pop(section, None)
            continue
        at = place[1]
        row, stand_in = data[section][at], _STAND_INS[section]
        if section == "providers" and fields and not any(nearest(one, _WHOM) for one in fields):
            stand_in = {name: value for name, value in row.items() if name not in fields}
            unchecked.remove(place)
        sound[section][at] = stand_in
    try:
        policy = Policy.model_validate(sound)
    except ValidationError:
        return []
    return [one for one in problems_of(policy) if _part(one.place) not in unchecked]


def default_policy() -> Policy:
    """What mode `legacy` reads instead of a file: OpenRouter, strictly what Anthropic makes."""
    sonnet, opus, haiku = (
        {"family": family, "from": ["openrouter"]}
        for family in ("claude-sonnet", "claude-opus", "claude-haiku")
    )
    return Policy.model_validate(
        {
            "providers": {"openrouter": {}},
            "allow": [{"match": "anthropic/*", "from": "openrouter"}],
            "aliases": {"claude-fallback": {"first_of": [sonnet, opus, haiku]}},
        }
    )


def _error(problems: list[Problem], document: Document, name: str) -> PolicyError:
    """Every problem of the file as two lines, the first in the file first."""
    first, *others = [_told(line, one, name) for line, one in in_order(problems, document)]
    return PolicyError(first.what, first.hint, tuple(others))


def _told(line: int, problem: Problem, name: str) -> PolicyError:
    path = "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in problem.place
    ).removeprefix(".")
    what = f"{name}:{line}: {path}: {problem.what}" if path else f"{name}:{line}: {problem.what}"
    hint = problem.hint or "`rollcall schema` says what each field takes."
    return PolicyError(what if what.endswith("?") else f"{what}.", hint)


def rule_text(rule: Mapping[str, Any]) -> str:
    """A rule, or any value of a policy, on one line in YAML's flow style, ASCII."""
    text = yaml.safe_dump(dict(rule), default_flow_style=True, sort_keys=False, width=1 << 30)
    return text.removesuffix("\n")


def with_rules(text: str, name: str, rules: Sequence[tuple[int, Mapping[str, Any]]]) -> str:
    """A policy with rules put in front of others; every other character stays.

    Args:
        name: what messages call the file.
        rules: (the rule it goes in front of, counted from 1; the new rule), any order.

    Raises:
        PolicyError: `allow` is not written one rule a line, or the result is no policy.
    """
    document = read_document(text)
    count = len(load_policy(text, name).allow)
    lines = text.splitlines(keepends=True)
    for before, rule in sorted(rules, key=lambda row: row[0], reverse=True):
        at = document.line(("allow", min(before, count) - 1)) - 1
        margin, dash, _ = lines[at].partition("-")
        if not dash or margin.strip():
            raise PolicyError(
                f"{name}: `allow` is not written one rule a line.", "Put the rules there by hand."
            )
        end = lines[at][len(lines[at].rstrip("\r\n")) :] or "\n"
        lines.insert(at, f"{margin}- {rule_text(rule)}{end}")
    result = "".join(lines)
    if len(load_policy(result, name).allow) != count + len(rules):
        raise PolicyError(f"{name}: the rules cannot be put in safely.", "Put them in by hand.")
    return result
