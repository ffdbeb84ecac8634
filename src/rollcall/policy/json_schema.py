"""The policy's JSON Schema, for editors and people: it refuses what the command line refuses.

What no such schema can say stays with `policy.file`: names that must exist elsewhere in the file,
an alias that leads to another alias.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from rollcall.catalog.model import CAPABILITIES
from rollcall.policy.conditions import COUNTS, FLAGS
from rollcall.policy.schema import FACT_SOURCES, Policy
from rollcall.policy.words import FIELDS, NOT_BLANK, OURS, PROVIDER_NAME, VARIABLE
from rollcall.providers.builtin import BUILTIN
from rollcall.providers.registry import STATIC
from rollcall.secrets import ENDING, REFERENCE
from rollcall.settings import duration_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEMPLATE: Final = "^(?:[^{}*]|\\{(?:" + "|".join(FIELDS) + ")(?::dashed)?\\})+$"
_REFERENCE: Final = {"type": "string", "pattern": f"^{re.escape(REFERENCE)}"}
_EMPTY: Final = {"type": "array", "maxItems": 0}
_WAYS: Final = ("model", "first_of", "cheapest", "largest_context")


def json_schema() -> Schema:
    """The policy file's JSON Schema, for editors and `rollcall schema`.

    It is of the file as a person writes it: a choice may also be a plain text.
    """
    made = Policy.model_json_schema(by_alias=True, mode="validation")
    defined = made["$defs"]
    _narrow_top(made)
    _narrow_rule(defined["Rule"])
    _narrow_provider(defined["ProviderPolicy"])
    for name in ("timeout", "deadline"):
        _narrow(defined["Defaults"], name, _SOME_TIME)
    sources = {"anyOf": [{"enum": list(FACT_SOURCES)}, {"type": "string", "pattern": r"[./\\]"}]}
    _narrow(defined["Defaults"], "facts", _one_or_several(sources))
    _narrow(defined["StaticModel"], "capabilities", _one_or_several({"enum": list(CAPABILITIES)}))
    _narrow(defined["StaticModel"], "id", {"pattern": r"^(?!os\.environ/)\S(.*\S)?$"})
    for name in ("Rule", "ProviderPolicy", "Defaults"):
        _narrow_additions(defined[name])
    defined["Plain"] = _plain()
    for theirs in ("litellm_params", "model_info"):
        defined[theirs] = {"patternProperties": dict(_typed(theirs))}
    for name in ("AliasSpec", "Choice"):
        row = defined[name]
        row["allOf"] = list(_one_way(alias=name == "AliasSpec"))
        text = {"type": "string", "description": "provider/id, or a hand-written model_name."}
        defined[name] = {"description": row.pop("description", ""), "anyOf": [text, row]}
    for section in (made, *defined.values()):
        _write_defaults(section)
    trial = defined["Guards"]["properties"]["trial"]
    trial["enum"] = [*trial["enum"], False]  # as YAML 1.1 reads a bare `off`
    trial.pop("type", None)
    return {"$schema": DIALECT, "title": "rollcall policy", **_without_titles(made)}


WRITTEN: Final[Mapping[str, Callable[[Any], str]]] = {
    "2s": duration_text,
    "3d": lambda days: f"{days}d",
    "25%": lambda share: f"{share:.0%}",
}
"""The example of a field -> how its default is written; those are kept as what they are read as."""


def _write_defaults(section: Schema) -> None:
    """Defaults as a person writes them, 600 s as `10m`; a section's own stand at its fields."""
    for field in section.get("properties", {}).values():
        default = field.get("default")
        inner = field.get("items", {}) if isinstance(default, list) else field
        written = WRITTEN.get(inner.get("examples", [""])[0])
        if isinstance(default, dict):
            field["default"] = {}
        elif written and default is not None:
            rows = isinstance(default, list)
            field["default"] = [*map(written, default)] if rows else written(default)


def _narrow(section: Schema, field: str, more: Schema) -> None:
    """A field must meet this, too."""
    row = section["properties"][field]
    row.setdefault("allOf", []).append(more)


def _one_or_several(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _narrow_top(made: Schema) -> None:
    fields = made["properties"]
    fields["providers"] |= {
        "minProperties": 1,
        "propertyNames": {"pattern": f"^{PROVIDER_NAME.pattern}$"},
        "patternProperties": {
            f"^(?!(?:{'|'.join(map(re.escape, BUILTIN))})$)": {
                "allOf": [{"$ref": "#/$defs/ProviderPolicy"}],
                "type": "object",
                "required": ["type"],
                "if": {"properties": {"type": {"const": "openai"}}},
                "then": {"required": ["base_url"]},
            }
        },
    }
    _narrow(made, "naming", {"pattern": _TEMPLATE, "type": "string"})
    _narrow(made, "naming", NOT_BLANK)
    _narrow(made, "aliases", {"propertyNames": {"pattern": r"^[^*]*[^*\s][^*]*$"}})


def _narrow_rule(rule: Schema) -> None:
    rule["allOf"] = [
        {
            "anyOf": [
                {"required": [word], "properties": {word: {"not": _EMPTY}}}
                for word in ("family", "match")
            ]
        },
        {
            "if": {"required": ["balance"], "properties": {"balance": {"const": True}}},
            "then": {
                "required": ["name"],
                "properties": {"name": {"type": "string", "pattern": "^[^{]*$"}},
            },
        },
        {
            "not": {
                "required": ["key_env", "params"],
                "properties": {
                    "key_env": {"type": "string"},
                    "params": {"required": ["litellm_credential_name"]},
                },
            }
        },
    ]
    _narrow(rule, "name", _if_text(_TEMPLATE))
    _narrow(rule, "name", _if_text(r"\S"))
    _narrow(rule, "key_env", _if_text(f"^{VARIABLE.pattern}$"))
    _narrow(rule, "api_base", _WEB_ADDRESS)
    flags = {name: {"type": "boolean"} for name in FLAGS}
    counts = {name: {"type": "integer"} for name in COUNTS}
    rule["properties"]["assume"] |= {
        "properties": {**flags, **counts},
        "additionalProperties": False,
    }


def _narrow_provider(provider: Schema) -> None:
    fields = provider["properties"]
    fields["type"]["examples"] = sorted(BUILTIN)
    _narrow(provider, "type", {"enum": [*sorted(BUILTIN), STATIC, None]})
    _narrow(provider, "base_url", _if_text(r"^\s*https?://[^/\s@?]+(/[^\s@?]*)?\s*$"))
    _narrow(provider, "api_base", _WEB_ADDRESS)
    variable = {"type": ["string", "null"], "pattern": f"^{VARIABLE.pattern}$"}
    _narrow(provider, "key_env", _one_or_several(variable))
    _narrow(provider, "timeout", _SOME_TIME)
    one = {"anyOf": [NOT_BLANK, {"$ref": "#/$defs/StaticModel"}]}
    described = {key: fields["models"][key] for key in ("default", "description")}
    fields["models"] = _one_or_several(one) | described
    has_models = {"required": ["models"], "properties": {"models": {"not": _EMPTY}}}
    provider["allOf"] = [
        {
            "if": {"required": ["type"], "properties": {"type": {"const": STATIC}}},
            "then": has_models,
            "else": {"not": has_models},
        }
    ]
    provider["type"] = ["object", "null"]


def _if_text(pattern: str) -> Schema:
    return {"if": {"type": "string"}, "then": {"pattern": pattern}}


_WEB_ADDRESS = _if_text(r"^https?://[^/\s]\S*$")


def _narrow_additions(section: Schema) -> None:
    """What LiteLLM could not use, and what is not the policy's to say."""
    fields = section["properties"]
    for field, theirs, taken in (
        ("params", "litellm_params", ["model"]),
        ("model_info", "model_info", list(OURS)),
    ):
        plain = {"$ref": "#/$defs/Plain"}
        fields[field] |= {"propertyNames": {"not": {"enum": taken}}, "additionalProperties": plain}
        fields[field]["allOf"] = [plain, {"$ref": f"#/$defs/{theirs}"}]


def _plain() -> Schema:
    """A value that goes into config.yaml as it is: no secret written out, at any depth."""
    plain = {"$ref": "#/$defs/Plain"}
    reference = _if_text(_REFERENCE["pattern"])
    inside = {"if": {"type": "array"}, "then": {"items": reference}}
    hidden = {"allOf": [plain, reference, inside]}
    return {
        "type": ["object", "array", "string", "number", "boolean", "null"],
        "items": plain,
        "additionalProperties": plain,
        "patternProperties": {f"{_any_case(ENDING)}$": hidden},
    }


def _one_way(*, alias: bool) -> Iterator[Schema]:
    """A choice says one way to pick; `family` may stand beside those that pick within it."""
    ways = [way for way in _WAYS if alias or way != "first_of"]
    yield {"anyOf": [{"required": [way]} for way in (*ways, "family")]}
    together = [(one, other) for at, one in enumerate(ways) for other in ways[at + 1 :]]
    together += [("family", way) for way in ways if way in ("model", "first_of")]
    for one, other in together:
        yield {"not": {"required": [one, other]}}


def _any_case(pattern: str) -> str:
    """A pattern whose letters match in either case: JSON Schema knows no flag for it."""
    return "".join(f"[{one.lower()}{one.upper()}]" if one.isalpha() else one for one in pattern)


_SOME_TIME: Final[Schema] = {
    "not": {
        "anyOf": [
            {"const": 0},
            {"type": "string", "pattern": r"^\s*[0.]+\s*(?:ms|s|m|h|d|w)?\s*$"},
        ]
    }
}
_WHOLE: Final = {"type": "string", "pattern": r"^\s*[-+]?[0-9]+(\.0*)?\s*$"}
_DECIMAL: Final = {
    "type": "string",
    "pattern": r"^\s*[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$",
}
_UNSIGNED: Final = {"type": "string", "pattern": r"^\s*\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*$"}
_BOOLEAN: Final = {
    "anyOf": [
        {"type": "boolean"},
        {"enum": [0, 1]},
        {
            "type": "string",
            "pattern": "^(?:" + _any_case("t(rue)?|f(alse)?|y(es)?|no?|on|off") + "|0|1)$",
        },
    ]
}
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_TYPES: Final[Mapping[str, Schema]] = {
    "bool": _BOOLEAN,
    "int": {"anyOf": [{"type": ["integer", "boolean"]}, _WHOLE]},
    "float": {"anyOf": [{"type": ["number", "boolean"]}, _DECIMAL]},
    "str": {"type": "string"},
    "dict": {"type": "object"},
    "list": {"type": "array"},
    "list[str]": _TEXTS,
    "list[dict]": {"type": "array", "items": {"type": "object"}},
    "windows": {"type": "array", "items": {"type": "object"}},
    "seconds": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "boolean"}, _UNSIGNED]},
    "count": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "boolean"}]},
    "number": {"type": ["number", "boolean"]},
    "not negative": {"not": {"type": "number", "exclusiveMaximum": 0}},
}
"""A word of `litellm_config.fields` -> what fits; a word that is not here takes anything."""


@cache
def _typed(section: str) -> tuple[tuple[str, Schema], ...]:
    """(pattern of field names, what their values must be), as LiteLLM takes them."""
    from rollcall.litellm_config.fields import fields_by_word

    rows = []
    for word, fields in fields_by_word(section).items():
        shape = _TYPES.get(word)
        if word.startswith("one of "):
            shape = {"enum": word.split()[2:]}
        if shape is not None:
            free = [{"type": "null"}, _REFERENCE, shape]
            rows.append((f"^(?:{'|'.join(map(re.escape, fields))})$", {"anyOf": free}))
    return tuple(rows)


def fields_of(schema: Schema) -> Iterator[dict[str, str]]:
    """Every field as people read it: `field` (`allow[].newest`), `takes`, `default`, `what`."""
    yield from _fields_of(schema, "", schema, ())


def _fields_of(
    node: Schema, path: str, schema: Schema, above: tuple[str, ...]
) -> Iterator[dict[str, str]]:
    for name, field in node.get("properties", {}).items():
        where, default = f"{path}{name}", field.get("default")
        yield {
            "field": where,
            "takes": _takes(field, schema),
            "default": "" if default is None or isinstance(default, dict) else _plainly(default),
            "what": field.get("description", ""),
        }
        for inner, below in dict(_sections(field, where, schema)).items():
            if inner not in above:
                yield from _fields_of(_shape(inner, schema), below, schema, (*above, inner))


def _alternatives(field: Schema) -> list[Schema]:
    return field.get("anyOf") or [field]


def _referred(node: Schema, schema: Schema) -> Schema:
    return schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


def _sections(field: Schema, where: str, schema: Schema) -> Iterator[tuple[str, str]]:
    """(name of the section, path of its fields) of everything below a field."""
    for one in _alternatives(field):
        for node, below in (
            (one, f"{where}."),
            (one.get("items", {}), f"{where}[]."),
            (one.get("additionalProperties", {}), f"{where}.NAME."),
        ):
            if isinstance(node, dict):
                for way in _alternatives(node):
                    name = way.get("$ref", "").rpartition("/")[2]
                    if name and _shape(name, schema).get("properties"):
                        yield name, below


def _shape(name: str, schema: Schema) -> Schema:
    return _alternatives(schema["$defs"][name])[-1]


_KINDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "fields of its own",
}


def _takes(field: Schema, schema: Schema) -> str:
    """What fits a field, in a few words."""
    ways = [_referred(one, schema) for one in _alternatives(field)]
    examples = next((one["examples"] for one in (field, *ways) if "examples" in one), None)
    if examples and "enum" not in field:
        return f"such as {_plainly(examples[0])}"
    said = [word for one in ways for word in _kinds(one)]
    return " or ".join(dict.fromkeys(said))


def _kinds(node: Schema) -> Iterator[str]:
    if "enum" in node or "const" in node:
        yield from (_plainly(one) for one in node.get("enum", [node.get("const")]) if one)
    else:
        kinds = node.get("type", "object")
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind != "null":
                yield _KINDS[kind]


def _plainly(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plainly, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without_titles(node: Any) -> Any:
    """Drop the generated titles: they repeat the field's name in another case."""
    if isinstance(node, dict):
        return {
            key: _without_titles(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str))
        }
    if isinstance(node, list):
        return [_without_titles(value) for value in node]
    return node
