"""config.yaml as LiteLLM sees it, its includes merged in."""

from __future__ import annotations

import fnmatch
import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rollcall.secrets import variable_of
from rollcall.settings import Variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.yaml_reading import Place


CREATED = 1677610602
"""What the proxy gives as every model's `created`, in Unix seconds."""
LITELLM_KEYS = frozenset(
    {
        "agent_list",
        "agents",
        "assistant_settings",
        "callback_settings",
        "classifier_plugin",
        "credential_list",
        "default_vertex_config",
        "environment_variables",
        "files_settings",
        "finetune_settings",
        "general_settings",
        "guardrails",
        "include",
        "litellm_settings",
        "mcp_servers",
        "mcp_tools",
        "model_list",
        "pass_through_endpoints",
        "plugins",
        "policies",
        "policy_attachments",
        "prompts",
        "router_settings",
        "sandbox_tools",
        "search_tools",
        "vector_store_registry",
        "worker_registry",
    }
)
"""The top-level keys LiteLLM reads (proxy_server.py of 1.106)."""
ENVIRONMENTS = ("development", "staging", "production")
"""What LITELLM_ENVIRONMENT and `supported_environments` may say."""


class Group(NamedTuple):
    """What stands behind one model_name: LiteLLM balances between several entries of it.

    Attributes:
        litellm_models: `litellm_params.model` of each entry, in file order, without those that
            `supported_environments` leaves out where the proxy starts.
        mode: `model_info.mode`, None where the entries do not say.
        listed: whether /v1/models shows it to every key.
        kept_back: why a call may well be refused, by design; "" where none of its entries is.
    """

    name: str
    litellm_models: tuple[str, ...]
    mode: str | None = None
    listed: bool = True
    kept_back: str = ""


class Alias(NamedTuple):
    """One name of `router_settings.model_group_alias`; `target` "" = it leads to no name."""

    name: str
    target: str
    hidden: bool


class LiteLLMView(NamedTuple):
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

    @property
    def models(self) -> frozenset[str]:
        """Every `litellm_params.model` that is served."""
        return frozenset(one for group in self.groups.values() for one in group.litellm_models)

    @property
    def listed(self) -> tuple[str, ...]:
        """What /v1/models shows to every key, wildcards aside.

        An alias is shown where it leads to a model_name that is; one to a model's own string, or
        to a name that a wildcard serves, works and is not shown.
        """
        names = [group.name for group in self.groups.values() if group.listed]
        names = [name for name in names if "*" not in name]
        for alias in self.aliases.values():
            target = self.groups.get(alias.target)
            if not alias.hidden and alias.name not in self.groups and target and target.listed:
                names.append(alias.name)
        return tuple(names)

    def serves(self, name: str) -> bool:
        """Whether a call to a name that is no alias is answered by an entry: by its model_name,
        its model's own string, or a wildcard; by `*` alone where the name says its provider.
        """
        from rollcall.litellm_config.fields import known_providers  # its tables are large

        group = self.groups.get(name)
        if (group and group.litellm_models) or name in self.models:
            return True
        globs = [glob for glob in self.wildcards if fnmatch.fnmatchcase(name, glob)]
        return any(glob != "*" or name.partition("/")[0] in known_providers() for glob in globs)

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
        name, model = _served_name(entry.get("model_name")), text_in(params, "model")
        if name is None or model is None:
            continue
        active = environ is None or not is_left_out(info, environ)
        why = _kept_back(info) if active else "supported_environments leaves it out here"
        shown = not why and info.get("discoverable") is not False
        before = groups.get(name)
        if before is None:
            before = Group(name, (), listed=False, kept_back=why)
        groups[name] = Group(
            name,
            (*before.litellm_models, model) if active else before.litellm_models,
            mode=before.mode or text_in(info, "mode"),
            listed=before.listed or shown,
            kept_back=before.kept_back and why,
        )
        if active and (identity := text_in(info, "id")):
            ids[identity] = model
    return LiteLLMView(groups, aliases_of(alias_map(data)), ids)


def _served_name(given: object) -> str | None:
    """A model_name as clients say it: LiteLLM 1.110 starts with what YAML reads as a number or a
    day, and serves it under its text.
    """
    return str(given) if isinstance(given, str | int | float | date) else None


def _kept_back(model_info: Mapping[Any, Any]) -> str:
    """Why an entry answers not everybody, by design."""
    if model_info.get("blocked") is True:
        return "config.yaml blocks it"
    return "it belongs to a team" if model_info.get("team_id") is not None else ""


def is_left_out(model_info: Mapping[Any, Any], environ: Mapping[str, str]) -> bool:
    """Whether `supported_environments` keeps an entry out of the proxy that is started here."""
    wanted = model_info.get("supported_environments")
    if not isinstance(wanted, list) or not all(one in ENVIRONMENTS for one in wanted):
        return False  # left out, or not, by mistake
    return environ.get("LITELLM_ENVIRONMENT") not in wanted


def config_variables(data: Mapping[str, Any]) -> Variables:
    """The variables that config.yaml itself sets, found as the system finds variables."""
    section = data.get("environment_variables")
    rows = section.items() if isinstance(section, dict) else ()
    return Variables({str(name): str(value) for name, value in rows if value not in (None, "")})


def aliases_of(rows: Mapping[Any, Any]) -> dict[str, Alias]:
    """The aliases of a `model_group_alias`, in its order."""
    found = {}
    for name, value in rows.items():
        hidden = isinstance(value, dict) and value.get("hidden") is True
        found[str(name)] = Alias(str(name), alias_target(value) or "", hidden)
    return found


def entries(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of `model_list` that are mappings."""
    return [entry for entry in rows_of(data.get("model_list")) if isinstance(entry, dict)]


def alias_map(data: Mapping[str, Any]) -> dict[Any, Any]:
    """`router_settings.model_group_alias`, {} where it is none."""
    return mapping(mapping(data.get("router_settings")).get("model_group_alias"))


def alias_target(value: Any) -> str | None:
    """The model_name that a `model_group_alias` value leads to; None where it says none."""
    target = value.get("model") if isinstance(value, dict) else value
    return target if isinstance(target, str) else None


def mapping(value: object) -> dict[Any, Any]:
    """The value where it is a mapping, else {}."""
    return value if isinstance(value, dict) else {}


def rows_of(value: object) -> list[Any]:
    """The value where it is a list, else []."""
    return value if isinstance(value, list) else []


def texts_in(rows: object, key: str) -> frozenset[str]:
    """The texts that the mappings of a list have under a key."""
    found = (mapping(row).get(key) for row in rows_of(rows))
    return frozenset(text for text in found if isinstance(text, str))


def text_in(fields: Mapping[Any, Any], key: str) -> str | None:
    """The text that stands under a key; None where there is none."""
    value = fields.get(key)
    return value if isinstance(value, str) else None


def value_at(data: object, path: Place) -> Any:
    """What stands at a path of a config; None where there is nothing."""
    value: Any = data
    for key in path:
        is_item = isinstance(key, int) and key < len(rows_of(value))
        value = value[key] if is_item else mapping(value).get(key)
    return value


def resolved(value: object, environ: Mapping[str, str]) -> str | None:
    """A setting as LiteLLM resolves it: `os.environ/NAME` is that variable's value."""
    name = variable_of(value)
    text = value if isinstance(value, str) else None
    return text if name is None else environ.get(name)


BARE: Final = (
    (
        re.compile(r"(gpt|chatgpt|o[0-9]|dall-e|whisper|tts|text-embedding|omni-moderation)\b"),
        "openai",
    ),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"gemini-"), "vertex_ai"),
    (re.compile(r"([a-z]{2,6}\.)?(anthropic|amazon|meta|mistral|cohere|ai21)\."), "bedrock"),
)
"""How a model string without a prefix begins -> whom LiteLLM takes it for."""


def provider_and_id(model: str) -> tuple[str, str]:
    """LiteLLM's word for the provider of a `litellm_params.model`, and the id there; "" of a bare
    name that tells none.
    """
    if "/" in model:
        prefix, _, model_id = model.partition("/")
        return prefix, model_id
    return next((prefix for pattern, prefix in BARE if pattern.match(model)), ""), model


def master_key(data: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    """The key a proxy on this config is started with; None where it has none."""
    general = mapping(data.get("general_settings"))
    if "master_key" in general and general["master_key"] is not None:
        return resolved(general["master_key"], environ)
    return environ.get("LITELLM_MASTER_KEY")
