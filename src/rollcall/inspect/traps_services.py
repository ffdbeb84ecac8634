"""The services a config names beside the providers: cache, database, MCP servers, guardrails, paths
that are passed through, logins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.errors import did_you_mean
from rollcall.litellm_config.effective import mapping, resolved
from rollcall.secrets import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.inspect.checked_config import CheckedConfig
    from rollcall.inspect.checked_config import Path as Place
    from rollcall.inspect.findings import Finding


def service_traps(config: CheckedConfig) -> Iterator[Finding]:
    """What of each keeps LiteLLM from starting, or has another effect than it seems to."""
    yield from _cache(config)
    yield from _database(config)
    yield from _mcp_servers(config)
    yield from _guardrails(config)
    yield from _passed_through(config)
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
    settings = config.section("litellm_settings")
    params = mapping(settings.get("cache_params"))
    kind = params.get("type", "redis")
    if settings.get("cache") is not True or variable_of(kind) is not None:
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
    address = config.section("general_settings").get("database_url")
    given = resolved(address, config.environ) or config.environ.get("DATABASE_URL")
    if isinstance(given, str) and "://" in given and not given.startswith(POSTGRESQL):
        what = f"The database is no PostgreSQL ({given.partition(':')[0]}): LiteLLM does not start."
        fix = "Give a postgresql:// address, or none."
        yield config.error("database", what, ("general_settings", "database_url"), fix)
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


NEEDS = {
    "presidio": ("PRESIDIO_ANALYZER_API_BASE", "PRESIDIO_ANONYMIZER_API_BASE"),
    "aporia": ("APORIO_API_KEY", "APORIO_API_BASE"),
}
"""Guardrail -> variables without which it ends the start."""
GIVEN = {
    "PRESIDIO_ANALYZER_API_BASE": "presidio_analyzer_api_base",
    "PRESIDIO_ANONYMIZER_API_BASE": "presidio_anonymizer_api_base",
    "APORIO_API_KEY": "api_key",
    "APORIO_API_BASE": "api_base",
}
"""The field of the guardrail's litellm_params that stands in for a variable."""


def _guardrails(config: CheckedConfig) -> Iterator[Finding]:
    """A guardrail whose service has no address or key."""
    rows = config.merged.get("guardrails")
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        params = mapping(mapping(row).get("litellm_params"))
        kind = params.get("guardrail")
        for variable in NEEDS.get(kind, ()) if isinstance(kind, str) else ():
            if not config.environ.get(variable) and not params.get(GIVEN[variable]):
                what = f"The guardrail {kind} needs {variable}: LiteLLM does not start."
                yield config.error(
                    "guardrail", what, ("guardrails", index), f"Set {variable}, or take it out."
                )
                break


def _passed_through(config: CheckedConfig) -> Iterator[Finding]:
    """A path that is passed on to another server, without the path."""
    rows = config.section("general_settings").get("pass_through_endpoints")
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        if not mapping(row).get("path"):
            what = f"Row {index + 1} of pass_through_endpoints has no path: LiteLLM does not start."
            path = ("general_settings", "pass_through_endpoints", index)
            yield config.error("pass_through", what, path, "Add `path: /...`.")


def _logins(config: CheckedConfig) -> Iterator[Finding]:
    """Settings of JSON Web Tokens that are no mapping, and of a team that name none."""
    general = config.section("general_settings")
    settings = general.get("litellm_jwtauth", {})
    if general.get("enable_jwt_auth") is True and not isinstance(settings, dict):
        what = "litellm_jwtauth is not a mapping: LiteLLM does not start."
        path: Place = ("general_settings", "litellm_jwtauth")
        yield config.error("jwtauth", what, path, "Write `name: value` lines below it.")
    teams = config.section("litellm_settings").get("default_team_settings")
    for index, row in enumerate(teams if isinstance(teams, list) else ()):
        if isinstance(row, dict) and not row.get("team_id"):
            what = (
                f"Row {index + 1} of default_team_settings has no team_id: LiteLLM does not start."
            )
            path = ("litellm_settings", "default_team_settings", index)
            yield config.error("section_shape", what, path, "Add team_id.")
