"""What LiteLLM takes at each place of its config beside the entries, and what becomes of anything
else: one table, one walk.

A place is a pattern of keys: `#` is any item of a list, `*` any key of a mapping. Each row was seen
on a running proxy; docs/LITELLM.md shows some of every kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rollcall.litellm_config.effective import mapping, resolved, rows_of, value_at
from rollcall.litellm_config.fields import Consequence, Misfit, declared, unfit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rollcall.yaml_reading import Place

KEY_MANAGERS: Final = (
    "google_kms azure_key_vault aws_secret_manager google_secret_manager hashicorp_vault cyberark"
    " aws_kms custom"
)
MCP_LOGINS: Final = (
    "none api_key bearer_token basic authorization oauth2 aws_sigv4 token oauth2_token_exchange"
    " oauth2_id_jag true_passthrough oauth_delegate"
)
PROMPTS: Final = "dotprompt bitbucket gitlab arize_phoenix generic_prompt_management"

NO_START: Final[Mapping[str, Mapping[str, str]]] = {
    "": {
        "agent_list": "rows",
        "agents": "rows",
        "agents.#.agent_card_params": "dict",
        "assistant_settings": "dict",
        "assistant_settings.litellm_params": "dict!",
        "credential_list": "rows",
        "credential_list.#.credential_info": "dict!",
        "credential_list.#.credential_name": "str!",
        "credential_list.#.credential_values": "dict!",
        "default_vertex_config": "dict",
        "environment_variables": "map",
        "files_settings": "list",
        "finetune_settings": "list",
        "general_settings": "mapping",
        "guardrails": "rows",
        "guardrails.#.guardrail_name": "str!",
        "guardrails.#.litellm_params": "dict",
        "litellm_settings": "map",
        "mcp_servers": "sections",
        "mcp_servers.*.args": "list",
        "mcp_servers.*.auth_type": f"one of {MCP_LOGINS}",
        "mcp_servers.*.server_id": "str",
        "mcp_servers.*.transport": "one of sse http stdio",
        "mcp_servers.*.url": "str",
        "mcp_tools": "rows",
        "model_list": "items",
        "policies": "sections",
        "policies.*.guardrails": "dict",
        "prompts": "rows",
        "prompts.#.litellm_params": "dict!",
        "prompts.#.litellm_params.prompt_integration": f"one of {PROMPTS}!",
        "prompts.#.prompt_id": "str!",
        "prompts.#.prompt_info": "dict",
        "search_tools": "rows",
        "search_tools.#.litellm_params": "dict!",
        "vector_store_registry": "rows",
        "vector_store_registry.#.litellm_params": "dict",
    },
    "general_settings.": {
        "alerting": "list | str",
        "background_health_check_model_groups": "list[str]",
        "coordination_redis": "dict",
        "database_url": "str",
        "key_management_settings": "dict",
        "key_management_settings.access_mode": "one of read_only write_only read_and_write",
        "key_management_system": f"one of {KEY_MANAGERS}",
        "litellm_jwtauth": "dict",
        "mcp_advertised_versions": "list[str]",
        "mcp_disabled_capabilities": "list[str]",
        "mcp_disabled_capabilities.#": "one of prompts resources",
        "pass_through_endpoints.#": "dict",
        "pass_through_endpoints.#.headers": "dict",
        "pass_through_endpoints.#.path": "str!",
        "plugins.#": "dict",
        "role_permissions": "list[dict]",
        "search_tool_deny_by_default": "bool",
        "search_tools": "rows",
        "spend_logs_metadata_fields": "dict",
        "team_metadata_schema": "list[dict]",
        "user_api_key_cache_max_size": "int",
        "user_api_key_cache_ttl": "float",
        "vector_store_deny_by_default": "bool",
    },
    "litellm_settings.": {
        "budget_reset_time": "time of day",
        "custom_provider_map": "rows!",
        "custom_provider_map.#.custom_handler": "str!",
        "default_internal_user_params.max_budget": "float",
        "default_max_internal_user_budget": "float!",
        "default_team_settings": "rows!",
        "default_team_settings.#.team_id": "str!",
        "guardrails": "rows!",
        "guardrails.#.*": "dict",
        "key_alias_pattern": "pattern",
        "max_budget": "float!",
        "max_internal_user_budget": "float!",
        "max_ui_session_budget": "float",
        "model_group_settings": "dict!",
        "model_group_settings.forward_client_headers_to_llm_api": "list[str]",
        "priority_reservation_settings": "dict!",
        "priority_reservation_settings.default_priority": "float",
        "responses": "dict!",
        "upperbound_key_generate_params": "dict!",
        "upperbound_key_generate_params.max_budget": "float",
    },
    "router_settings.": {
        "allowed_fails_policy.*": "int",
        "default_litellm_params": "dict",
        "health_check_staleness_threshold": "float",
        "model_group_affinity_config": "dict",
        "model_group_alias": "mapping",
        "provider_budget_config": "dict",
        "provider_budget_config.*": "dict",
        "provider_budget_config.*.budget_limit": "float",
        "redis_url": "redis url",
        "retry_policy.*": "int",
        "routing_groups": "items",
        "routing_groups.#": "dict",
        "routing_groups.#.routing_strategy": "strategy",
        "routing_strategy": "strategy",
    },
}
"""Section -> place -> the word of what has to stand there, for LiteLLM to start; with a `!`, null
ends the start, too.
"""
STARTS: Final = {
    "general_settings.allowed_routes": ("list", Consequence.NOTHING_ANSWERS),
    "general_settings.litellm_key_header_name": ("str", Consequence.NOTHING_ANSWERS),
    "litellm_settings.request_timeout": ("float", Consequence.ALL_FAIL),
    "router_settings": ("mapping", Consequence.PASSED_OVER),
    "router_settings.default_max_parallel_requests": ("count", Consequence.ALL_FAIL),
    "router_settings.timeout": ("seconds", Consequence.ALL_FAIL),
}
"""Place -> the word, and what becomes of anything else, where LiteLLM starts with it."""
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "assistant_settings": ("litellm_params",),
    "credential_list.#": ("credential_name", "credential_values", "credential_info"),
    "general_settings.coordination_redis": ("host/url/startup_nodes/sentinel_nodes",),
    "general_settings.pass_through_endpoints.#": ("path",),
    "general_settings.plugins.#": ("name", "url"),
    "general_settings.spend_logs_metadata_fields": ("include/exclude",),
    "guardrails.#": ("guardrail_name", "litellm_params"),
    "litellm_settings.custom_provider_map.#": ("provider", "custom_handler"),
    "litellm_settings.default_team_settings.#": ("team_id",),
    "litellm_settings.guardrails.#.*": ("callbacks",),
    "prompts.#": ("prompt_id", "litellm_params"),
    "prompts.#.litellm_params": ("prompt_integration",),
    "router_settings.routing_groups.#": ("group_name", "models", "routing_strategy"),
    "vector_store_registry.#": ("litellm_params",),
    "vector_store_registry.#.litellm_params": ("vector_store_id", "custom_llm_provider"),
}
"""Mappings -> what each has to have, for LiteLLM to start; of several with a / between, one."""
READ_BY: Final = {
    "general_settings.alerting_args": "alerting",
    "router_settings.routing_groups.#.routing_strategy_args": "routing_strategy",
    "router_settings.routing_strategy_args": "routing_strategy",
}
"""Mappings that LiteLLM reads only where a setting beside them says so -> that setting. Its models,
one for each way of routing, say what their fields take; anything else ends the start.
"""

_WORDS: Final = {
    f"{section}{place}": word
    for section, places in NO_START.items()
    for place, word in places.items()
}
_WANTED: Final = {
    place: (word.rstrip("!"), Consequence.NO_START) for place, word in _WORDS.items()
} | STARTS
NULL_ENDS_START: Final = tuple(place for place, word in _WORDS.items() if word.endswith("!"))
"""Places where null ends the start."""


def wrong_settings(data: Mapping[str, Any]) -> Iterator[tuple[Place, Misfit]]:
    """Every value of a config that LiteLLM cannot use where it stands, those of entries aside."""
    for place, (word, consequence) in _WANTED.items():
        for path, value in at(data, place):
            if wrong := unfit(word, consequence, value):
                yield path, wrong
    for place, beside in READ_BY.items():
        for path, value in at(data, place):
            said = value_at(data, (*path[:-1], beside))
            fields = declared(str(said)) or declared(str(path[-1]))
            if said is None or not fields:
                continue
            if wrong := unfit("dict", Consequence.NO_START, value):
                yield path, wrong
            for name, one in mapping(value).items():
                if wrong := unfit(fields.get(name, "anything"), Consequence.NO_START, one):
                    yield (*path, name), wrong


def missing_settings(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Every mapping that lacks something without which LiteLLM does not start: the first."""
    for place, needed in REQUIRED.items():
        for path, value in at(data, place):
            if isinstance(value, dict):
                for names in (needs.split("/") for needs in needed):
                    if value.keys().isdisjoint(names):
                        yield path, " or ".join(names)


def first_missing(needs: str, fields: Mapping[Any, Any], environ: Mapping[str, str]) -> str | None:
    """The first of some settings that neither stands beside the others nor in a variable.

    Args:
        needs: their names with blanks between them; any of those with a / between them will do,
            and one in capitals is a variable's.
    """

    def is_given(name: str) -> bool:
        value = environ.get(name) if name.isupper() else value_at(fields, tuple(name.split(".")))
        return bool(resolved(value, environ) if isinstance(value, str) else value is not None)

    for need in needs.split():
        names = need.split("/")
        if not any(map(is_given, names)):
            return names[-1]
    return None


def at(data: Mapping[str, Any], place: str) -> Iterator[tuple[Place, Any]]:
    """What stands at a place of a config, each with its path."""
    found: list[tuple[Place, Any]] = [((), data)]
    for step in place.split("."):
        found = [((*path, key), one) for path, value in found for key, one in _below(value, step)]
    yield from found


def _below(value: Any, step: str) -> list[tuple[Any, Any]]:
    if step == "#":
        return list(enumerate(rows_of(value)))
    if step == "*":
        return list(mapping(value).items())
    return [(step, value[step])] if isinstance(value, dict) and step in value else []
