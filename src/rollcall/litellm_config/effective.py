"""config.yaml as LiteLLM sees it, its includes merged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


VARIABLE = "os.environ/"
ENVIRONMENTS = ("development", "staging", "production")
"""What LITELLM_ENVIRONMENT and `supported_environments` may say."""


@dataclass(frozen=True, slots=True)
class Group:
    """What stands behind one model_name: LiteLLM balances between several entries of it.

    Attributes:
        litellm_models: `litellm_params.model` of each entry, in file order.
        mode: `model_info.mode`, None where the entries do not say.
        listed: whether /v1/models shows it (`blocked` ones are not).
    """

    name: str
    litellm_models: tuple[str, ...]
    mode: str | None = None
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Alias:
    """One name of `router_settings.model_group_alias` that LiteLLM understands."""

    name: str
    target: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class LiteLLMView:
    """The names a proxy on this config serves.

    Attributes:
        groups: by model_name, in file order; names with a `*` among them.
        aliases: in file order. ids: explicit `model_info.id` -> `litellm_params.model`.
    """

    groups: dict[str, Group]
    aliases: dict[str, Alias]
    ids: dict[str, str]

    @property
    def wildcards(self) -> tuple[str, ...]:
        """The model_names LiteLLM expands by itself."""
        return tuple(name for name in self.groups if "*" in name)

    def behind(self, name: str) -> Group | None:
        """The group a call to `name` reaches; an alias wins over a model of its name."""
        alias = self.aliases.get(name)
        return self.groups.get(alias.target if alias else name)


def merged(data: Mapping[str, Any], includes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`data` with its included files: lists add up, anything else is replaced, as LiteLLM does."""
    result = dict(data)
    for included in includes:
        for key, value in included.items():
            before = result.get(key)
            both = isinstance(before, list) and isinstance(value, list)
            result[key] = [*before, *value] if both and before is not None else value
    return result


def view(data: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> LiteLLMView:
    """Read the names out of a config, without entries LiteLLM could not start with, and without
    those it leaves out by design.

    Args:
        environ: variables as LiteLLM will see them; None = it may leave nothing out.
    """
    groups: dict[str, Group] = {}
    ids: dict[str, str] = {}
    for entry in entries(data):
        params, info = mapping(entry.get("litellm_params")), mapping(entry.get("model_info"))
        name, model = entry.get("model_name"), params.get("model")
        if not isinstance(name, str) or not isinstance(model, str):
            continue
        if environ is not None and is_left_out(info, environ):
            continue
        before = groups.get(name, Group(name, ()))
        groups[name] = Group(
            name,
            (*before.litellm_models, model),
            mode=before.mode or _text(info.get("mode")),
            listed=(before.listed or not before.litellm_models) and info.get("blocked") is not True,
        )
        if identity := _text(info.get("id")):
            ids[identity] = model
    return LiteLLMView(groups, _aliases(data), ids)


def is_left_out(model_info: Mapping[Any, Any], environ: Mapping[str, str]) -> bool:
    """Whether `supported_environments` keeps an entry out of the proxy that is started here."""
    wanted = model_info.get("supported_environments")
    if wanted is None or variable_of(wanted) is not None:
        return False
    here = environ.get("LITELLM_ENVIRONMENT")
    known = isinstance(wanted, list) and all(one in ENVIRONMENTS for one in wanted)
    return not known or here not in ENVIRONMENTS or here not in wanted


def _aliases(data: Mapping[str, Any]) -> dict[str, Alias]:
    found = {}
    for name, value in alias_map(data).items():
        if isinstance(value, str):
            found[str(name)] = Alias(str(name), value, hidden=False)
        elif isinstance(value, dict) and isinstance(value.get("model"), str):
            found[str(name)] = Alias(str(name), value["model"], value.get("hidden") is True)
    return found


def entries(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of `model_list` that are mappings."""
    listed = data.get("model_list")
    return (
        [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    )


def alias_map(data: Mapping[str, Any]) -> dict[Any, Any]:
    """`router_settings.model_group_alias`, {} where it is none."""
    return mapping(mapping(data.get("router_settings")).get("model_group_alias"))


def mapping(value: object) -> dict[Any, Any]:
    """The value where it is a mapping, else {}."""
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def resolved(value: object, environ: Mapping[str, str]) -> str | None:
    """A setting as LiteLLM resolves it: `os.environ/NAME` is that variable's value."""
    name = variable_of(value)
    if name is not None:
        return environ.get(name)
    return _text(value)


def variable_of(value: object) -> str | None:
    """The variable an `os.environ/NAME` setting names, None where it is no such setting."""
    text = _text(value) or ""
    return text.removeprefix(VARIABLE) if text.startswith(VARIABLE) else None


def master_key(data: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    """The key a proxy on this config is started with; None where it has none."""
    general = mapping(data.get("general_settings"))
    if "master_key" in general and general["master_key"] is not None:
        return resolved(general["master_key"], environ)
    return environ.get("LITELLM_MASTER_KEY")


def client_key(data: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    """The key to call this proxy with: LITELLM_API_KEY, else its master key."""
    return environ.get("LITELLM_API_KEY") or master_key(data, environ) or None
