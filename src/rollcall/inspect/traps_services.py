"""The services a config names beside the providers: cache, database, MCP servers, guardrails,
logins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.errors import did_you_mean
from rollcall.litellm_config.effective import config_variables, mapping, resolved, rows_of
from rollcall.secrets import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.inspect.checked_config import CheckedConfig
    from rollcall.inspect.findings import Finding
    from rollcall.yaml_reading import Place


def service_traps(config: CheckedConfig) -> Iterator[Finding]:
    """What of each keeps LiteLLM from starting, or has another effect than it seems to."""
    yield from _cache(config)
    yield from _database(config)
    yield from _mcp_servers(config)
    yield from _guardrails(config)
    yield from _logins(config)


POSTGRESQL = ("postgresql://", "postgres://")
REDIS = ("REDIS_HOST", "REDIS_URL")
CACHES = (
    "local",
    "redis",
    "redis-semantic",
    "valkey-semantic",
    "s3",
    "disk",
    "qdrant-semantic",
    "azure-blob",
    "gcs",
)


def _cache(config: CheckedConfig) -> Iterator[Finding]:
    """A cache of no kind LiteLLM has, or a Redis cache without an address."""
    params = config.cache_params
    if params is None or variable_of(kind := params.get("type", "redis")) is not None:
        return
    if kind not in CACHES:
        what = f"LiteLLM has no cache of the type {kind}: it does not start."
        fix = did_you_mean(str(kind), CACHES) or f"Write one of {', '.join(CACHES)}."
        yield config.error("cache_type", what, ("litellm_settings", "cache_params", "type"), fix)
    if kind not in ("redis", "redis-semantic"):
        return
    given = [resolved(params.get(key), config.environ) for key in ("host", "url")]
    if not any([*given, *map(config.environ.get, REDIS), params.get("redis_startup_nodes")]):
        what = "The cache has no Redis to use, neither host nor url: LiteLLM does not start."
        fix = "Set REDIS_HOST and REDIS_PORT, or take `cache: true` out."
        path = ("litellm_settings", "cache_params" if params else "cache")
        yield config.error("cache_without_redis", what, path, fix)


def _database(config: CheckedConfig) -> Iterator[Finding]:
    """An address of no PostgreSQL, and settings that the database holds, too."""
    setting: Place = ("general_settings", "database_url")
    variables = config_variables(config.merged)
    places: list[tuple[Place, str | None]] = [
        (setting, resolved(config.value(setting), config.environ)),
        (("environment_variables", "DATABASE_URL"), variables.get("DATABASE_URL")),
        ((), config.environ.get("DATABASE_URL")),
    ]
    path, address = next(((at, text) for at, text in places if text), ((), ""))
    if "://" in address and not address.startswith(POSTGRESQL):
        name = path[-1] if path else "The variable DATABASE_URL"
        what = f"{name} is no PostgreSQL ({address.partition(':')[0]}): LiteLLM does not start."
        yield config.error("database", what, path, "Give a postgresql:// address, or none.")
    if config.section("general_settings").get("store_model_in_db") is not True:
        return
    if any(key in config.section("router_settings") for key in ("model_group_alias", "fallbacks")):
        what = (
            "store_model_in_db is on: aliases and fallbacks made in LiteLLM's UI and those of this"
            " file hide each other, which of them depends on its version."
        )
        fix = "Keep aliases and fallbacks in one of the two places."
        yield config.warning("aliases_in_db", what, ("router_settings",), fix)


TRANSPORTS = ("sse", "http", "stdio")


def _mcp_servers(config: CheckedConfig) -> Iterator[Finding]:
    for name, server in config.section("mcp_servers").items():
        transport, url = mapping(server).get("transport", "sse"), mapping(server).get("url", "")
        path = ("mcp_servers", name)
        if transport not in TRANSPORTS and variable_of(transport) is None:
            what = f"The MCP server {name} has the transport {transport}: LiteLLM does not start."
            fix = f"Write one of {', '.join(TRANSPORTS)}."
            yield config.error("mcp_server", what, (*path, "transport"), fix)
        if url is not None and not isinstance(url, str):
            what = f"The url of the MCP server {name} is not a text: LiteLLM does not start."
            yield config.error("mcp_server", what, (*path, "url"), "Write its address.")
        if isinstance(name, str) and "-" in name:
            what = f"The MCP server {name} has a dash in its name: LiteLLM does not start."
            fix = f"Call it {name.replace('-', '_')}."
            yield config.error("mcp_server_name", what, path, fix)


GUARDRAILS = {
    "presidio": {
        "PRESIDIO_ANALYZER_API_BASE": "presidio_analyzer_api_base",
        "PRESIDIO_ANONYMIZER_API_BASE": "presidio_anonymizer_api_base",
    },
    "aporia": {"APORIO_API_KEY": "api_key", "APORIO_API_BASE": "api_base"},
}
"""Guardrail -> the variables without which it ends the start, each with the field of its
litellm_params that stands in for it.
"""


def _guardrails(config: CheckedConfig) -> Iterator[Finding]:
    """A guardrail whose service has no address or key."""
    for index, row in enumerate(rows_of(config.merged.get("guardrails"))):
        params = mapping(mapping(row).get("litellm_params"))
        kind = params.get("guardrail")
        needed = GUARDRAILS.get(kind, {}) if isinstance(kind, str) else {}
        for variable, field in needed.items():
            if not (config.environ.get(variable) or resolved(params.get(field), config.environ)):
                what = f"The guardrail {kind} needs {variable}: LiteLLM does not start."
                fix = f"Set {variable}, or take it out."
                yield config.error("guardrail", what, ("guardrails", index), fix)
                break


def _logins(config: CheckedConfig) -> Iterator[Finding]:
    """Settings of JSON Web Tokens that are no mapping. LiteLLM reads them though they are off."""
    path = ("general_settings", "litellm_jwtauth")
    settings = config.value(path)
    if not isinstance(settings, dict | None) and variable_of(settings) is None:
        what = "litellm_jwtauth is not a mapping: LiteLLM does not start."
        yield config.error("jwtauth", what, path, "Write `name: value` lines below it.")
