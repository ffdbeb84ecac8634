"""Reads policy.yaml, with errors that name file, line and field.

The file is parsed once. Only when something is wrong is it composed again, for the line numbers.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from pydantic import ValidationError

from rollcall.errors import PolicyError, did_you_mean
from rollcall.policy.schema import Policy, json_schema
from rollcall.policy.words import FIELDS, shown, template_error
from rollcall.providers.builtin import BUILTIN
from rollcall.secrets import names_secret
from rollcall.yaml_reading import UNREADABLE, Unbounded, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.policy.schema import AliasSpec, Choice, Policy, ProviderPolicy, Rule


Place = tuple[str | int, ...]

PROVIDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MOST_EXTRAS = 500
OURS = ("id", "managed_by", "leaves")
"""Fields of model_info that say whose entry it is; a rule cannot set them."""


class Problem(NamedTuple):
    """One thing that is wrong, and where: keys and 0-based indexes from the top of the file."""

    place: Place
    what: str
    hint: str = ""
    at_key: bool = False


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
    elif provider.type is None and name not in BUILTIN:
        hint = (
            did_you_mean(name, BUILTIN)
            or "Give it a type, for example `type: openai`, and its base_url."
        )
        yield Problem(place, f"{shown(name)} is not a built-in provider and has no type", hint)
    if provider.type is not None and provider.type not in BUILTIN:
        hint = did_you_mean(provider.type, BUILTIN) or f"There are: {', '.join(BUILTIN)}."
        yield Problem((*place, "type"), f"unknown type {shown(provider.type)}", hint)
    if provider.type == "openai" and name not in BUILTIN and provider.base_url is None:
        hint = "For example `base_url: http://127.0.0.1:8000/v1`."
        yield Problem(place, "type openai needs a base_url", hint)
    if provider.timeout == 0:
        yield Problem((*place, "timeout"), "leaves no time to answer", "Write 2s.")
    if provider.base_url is not None and not re.match(r"https?://[^\s/]", provider.base_url):
        hint = "It begins with http:// or https://, for example http://127.0.0.1:8000/v1."
        yield Problem((*place, "base_url"), "is not a web address", hint)
    if any(not VARIABLE.fullmatch(variable) for variable in provider.key_env or ()):
        hint = "Name the environment variable that holds the key, never the key itself."
        yield Problem((*place, "key_env"), "is not the name of an environment variable", hint)


def _rule(place: Place, rule: Rule, policy: Policy) -> Iterator[Problem]:
    yield from _from(place, rule.from_, policy)
    if rule.name is not None:
        yield from _naming((*place, "name"), rule.name)
    if "model" in rule.params:
        hint = "Admit the model by `match`, and give its name by `name`."
        yield Problem((*place, "params", "model"), "the model comes from the provider's list", hint)
    yield from _extras((*place, "params"), rule.params)
    yield from _extras((*place, "model_info"), rule.model_info)
    for field in OURS:
        if field in rule.model_info:
            hint = "Leave it out: it says whose entry this is."
            yield Problem((*place, "model_info", field), "is written by rollcall", hint)


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
        elif names_secret(key) and isinstance(node, str) and not node.startswith("os.environ/"):
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


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

STARTER = "`rollcall init` writes a starter policy; `rollcall schema` lists every field."


class _WrongKey(yaml.constructor.ConstructorError):
    """A key that plain YAML readers would take, and the user did not mean."""

    def __init__(self, what: str, hint: str, key: Any) -> None:
        super().__init__(None, None, what, key.start_mark)
        self.hint = hint


class _Loader(_Base):  # type: ignore[misc]  # the C loader, where there is one
    """Safe YAML in which every key is text and stands once."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.tag != "tag:yaml.org,2002:str":
                name = key.value if isinstance(key, yaml.ScalarNode) else "here"
                what = f"the name {name!a} is not text to YAML"
                raise _WrongKey(what, "Put it in quotes.", key)
            if key.value in seen:
                what = f"{key.value!a} stands twice here"
                raise _WrongKey(what, "Keep one of the two: the first would be lost.", key)
            seen.add(key.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def read_policy(text: str, name: str) -> Policy:
    """Read a policy file's text.

    Raises:
        PolicyError: two lines: file, line, field and what is wrong; what to write instead.
    """
    data = _parse(text, name)
    if data is None:
        raise PolicyError(f"{name} is empty.", STARTER)
    if not isinstance(data, dict):
        raise PolicyError(f"{name} is not a policy: it holds no `name: value` lines.", STARTER)
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        problems = [_problem(row) for row in error.errors(include_url=False)]
    except RecursionError:
        raise PolicyError(f"{name} refers to itself without end.", STARTER) from None
    else:
        problems = problems_of(policy)
    if problems:
        raise _error(problems, text, name)
    return policy


def _parse(text: str, name: str) -> Any:
    try:
        return load(text.removeprefix("\ufeff"), _Loader)
    except _WrongKey as error:
        line = _line(error.problem_mark)
        raise PolicyError(f"{name}:{line}: {error.problem}.", error.hint) from None
    except Unbounded as error:
        where = f"{name}:{_line(error.problem_mark)}"
        raise PolicyError(f"{where}: {error.problem}.", "Write out what is needed.") from None
    except yaml.MarkedYAMLError as error:
        line = _line(error.problem_mark or error.context_mark)
        raise PolicyError(
            f"{name}:{line}: not YAML: {error.problem or error.context}.", _yaml_hint(text, line)
        ) from None
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise PolicyError(f"{name} is not YAML: {reason}.", STARTER) from None


def _line(mark: Any) -> int:
    return int(mark.line) + 1 if mark is not None else 1


def _yaml_hint(text: str, line: int) -> str:
    lines = text.splitlines()
    near = "\n".join(lines[max(0, line - 2) : line])
    if re.search(r"[\s\[,-]\*", near):
        return 'Put patterns that begin with * in quotes: "*:free".'
    if re.search(r":\s*[<>]", near):
        return 'Put comparisons in quotes: context: ">= 128000".'
    if "\t" in near:
        return "Indent with spaces: YAML does not take tabs."
    return "Look at this line and the one above it: indentation, quotes, brackets."


def _problem(row: Any) -> Problem:
    """One pydantic error in our own words."""
    place, kind, given = tuple(row["loc"]), row["type"], row["input"]
    match kind:
        case "extra_forbidden":
            return Problem(place, "unknown field", _nearest_field(place), at_key=True)
        case "missing":
            return Problem(place, "is required", STARTER)
        case "literal_error":
            wanted = row["ctx"]["expected"].replace("'", "")
            return Problem(
                place,
                f"{shown(given)} is not one of: {wanted}",
                did_you_mean(str(given), re.split(r", | or ", wanted)),
            )
        case "value_error":
            return Problem(place, str(row["ctx"]["error"]), "")
    expected = _EXPECTED.get(kind)
    if expected is None:
        return Problem(place, row["msg"][:1].lower() + row["msg"][1:], "")
    hint = "Put it in quotes." if kind == "string_type" and not _nested(given) else ""
    return Problem(place, f"expected {expected}, not {shown(given)}", hint)


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "`name: value` lines",
    "model_type": "`name: value` lines",
    "model_attributes_type": "`name: value` lines",
    "tuple_type": "a list",
    "list_type": "a list",
}


def _nested(value: Any) -> bool:
    return isinstance(value, dict | list | tuple) or value is None


def _nearest_field(place: tuple[Any, ...]) -> str:
    """The valid field nearest to a wrong one, else all of them."""
    fields = _fields_at(place[:-1])
    near = did_you_mean(str(place[-1]), fields)
    return near or f"Fields here: {', '.join(fields)}."


def _fields_at(place: tuple[Any, ...]) -> list[str]:
    """The fields that may stand at a place, by walking the JSON Schema."""
    schema = json_schema()
    node: dict[str, Any] = schema
    for part in place:
        node = _resolved(node, schema)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            inner = node.get("properties", {}).get(part)
            node = inner if inner is not None else node.get("additionalProperties") or {}
    return list(_resolved(node, schema).get("properties", {}))


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The object or array behind references and alternatives."""
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node:
            rich = [way for way in node["anyOf"] if way.get("type") not in ("null", "string")]
            node = rich[0] if rich else {}
        else:
            return node


def _error(problems: list[Problem], text: str, name: str) -> PolicyError:
    """The first problem of the file as two lines."""
    root = yaml.compose(text.removeprefix("\ufeff"), Loader=_Base)
    placed = sorted(((_line_of(root, one), one) for one in problems), key=lambda row: row[0])
    line, first = placed[0]
    path = "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in first.place
    ).removeprefix(".")
    what = f"{name}:{line}: {path}: {first.what}" if path else f"{name}:{line}: {first.what}"
    more = len(placed) - 1
    rest = f"There {'is 1 more problem' if more == 1 else f'are {more} more problems'} below it."
    hints = [first.hint or "`rollcall schema` says what each field takes.", rest if more else ""]
    return PolicyError(what if what.endswith("?") else f"{what}.", " ".join(filter(None, hints)))


def _line_of(root: Any, problem: Problem) -> int:
    """The line of a place in the file; of the nearest thing around it when it is not there."""
    node, line = root, _line(root.start_mark)
    for depth, part in enumerate(problem.place):
        last = depth == len(problem.place) - 1
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if str(pair[0].value) == str(part)), None)
            if pair is None:
                return line
            node = pair[1]
            inner = last and isinstance(node, yaml.ScalarNode) and not problem.at_key
            line = _line(node.start_mark if inner else pair[0].start_mark)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                return line
            node = node.value[part]
            line = _line(node.start_mark)
        else:
            return line
    return line
