"""The services a config names beside the providers: cache, database, MCP servers, guardrails,
logins, and what LiteLLM asks on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rollcall.errors import did_you_mean
from rollcall.inspect.findings import Finding, Level
from rollcall.litellm_config.effective import config_variables, mapping, resolved, value_at
from rollcall.litellm_config.fields import guardrail_modes, known_guardrails, table_version
from rollcall.litellm_config.settings_fields import at, first_missing
from rollcall.secrets import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rollcall.inspect.checked_config import CheckedConfig
    from rollcall.yaml_reading import Place


def service_traps(config: CheckedConfig) -> Iterator[Finding]:
    """What of each keeps LiteLLM from starting, or has another effect than it seems to."""
    yield from _cache(config)
    yield from _database(config)
    yield from _mcp_servers(config)
    yield from _guardrails(config)
    yield from _needs(config)
    yield from _licences(config)
    yield from _polling(config)
    yield from _health_checks(config)


POSTGRESQL = ("postgresql://", "postgres://")
REDIS = ("REDIS_HOST", "REDIS_URL")
REDIS_NODES = ("redis_startup_nodes", "startup_nodes", "sentinel_nodes")
"""Settings of a cluster; each may stand in a variable, too."""
REDIS_NODE_VARIABLES = ("REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES")
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
    if params is None:
        return
    kind = params.get("type", "local" if params else "redis")  # no settings at all mean Redis
    if variable_of(kind) is not None:
        return
    if kind not in CACHES:
        what = f"LiteLLM has no cache of the type {kind}: it does not start."
        fix = did_you_mean(str(kind), CACHES) or f"Write one of {', '.join(CACHES)}."
        yield config.error("cache_type", what, ("litellm_settings", "cache_params", "type"), fix)
    if kind not in ("redis", "redis-semantic"):
        return
    given = [resolved(params.get(key), config.environ) for key in ("host", "url")]
    given += map(config.environ.get, REDIS)
    if kind == "redis":
        given += [params.get(key) for key in REDIS_NODES]
        given += map(config.environ.get, REDIS_NODE_VARIABLES)
    if not any(given):
        what = "The cache has no Redis to use, neither host nor url: LiteLLM does not start."
        fix = "Set REDIS_HOST and REDIS_PORT, or take `cache: true` out."
        path = ("litellm_settings", "cache_params" if params else "cache")
        yield config.error("cache_without_redis", what, path, fix)


def _database(config: CheckedConfig) -> Iterator[Finding]:
    """An address of no PostgreSQL, and settings that the database holds, too."""
    setting: Place = ("general_settings", "database_url")
    variables = config_variables(config.merged)
    places: list[tuple[Place, str | None]] = [
        (setting, resolved(value_at(config.merged, setting), config.environ)),
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


def _mcp_servers(config: CheckedConfig) -> Iterator[Finding]:
    for name in config.section("mcp_servers"):
        if isinstance(name, str) and "-" in name:
            what = f"The MCP server {name} has a dash in its name: LiteLLM does not start."
            fix = f"Call it {name.replace('-', '_')}."
            yield config.error("mcp_server_name", what, ("mcp_servers", name), fix)


PRESIDIO = (
    "presidio_analyzer_api_base/PRESIDIO_ANALYZER_API_BASE"
    " presidio_anonymizer_api_base/PRESIDIO_ANONYMIZER_API_BASE"
)
APORIA = "api_key/APORIO_API_KEY api_base/APORIO_API_BASE"
NEEDS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "general_settings.key_management_system": (
        "key manager",
        {
            "aws_kms": "AWS_REGION_NAME",
            "custom": "key_management_settings.custom_secret_manager",
            "cyberark": "CYBERARK_CLIENT_CERT/CYBERARK_API_KEY",
            "hashicorp_vault": "HCP_VAULT_CLIENT_CERT/HCP_VAULT_APPROLE_ROLE_ID/HCP_VAULT_TOKEN",
        },
    ),
    "guardrails.#.litellm_params.guardrail": (
        "guardrail",
        {
            "aim": "api_key/AIM_API_KEY",
            "aporia": APORIA,
            "cato_networks": "api_key/CATO_API_KEY",
            "grayswan": "api_key/GRAYSWAN_API_KEY",
            "guardrails_ai": "guard_name",
            "javelin": "guard_name",
            "lasso": "lasso_api_key/api_key/LASSO_API_KEY",
            "pangea": "api_key/PANGEA_API_KEY",
            "pillar": "api_key/PILLAR_API_KEY",
            "presidio": PRESIDIO,
            "prompt_security": "api_base/PROMPT_SECURITY_API_BASE api_key/PROMPT_SECURITY_API_KEY",
        },
    ),
    "litellm_settings.cache_params.type": (
        "cache",
        {
            "azure-blob": "azure_account_url",
            "qdrant-semantic": "qdrant_collection_name similarity_threshold"
            " qdrant_api_base/QDRANT_URL/QDRANT_API_BASE",
            "redis-semantic": "similarity_threshold",
        },
    ),
    "litellm_settings.callbacks.#": (
        "callback",
        {"aporia_prompt_injection": APORIA, "presidio": PRESIDIO},
    ),
    "mcp_servers.*.auth_type": ("login", {"oauth2": "oauth2_flow"}),
    "prompts.#.litellm_params.prompt_integration": (
        "prompt",
        {
            "arize_phoenix": "api_key/PHOENIX_API_KEY api_base",
            "bitbucket": "bitbucket_config",
            "generic_prompt_management": "api_base",
            "gitlab": "gitlab_config",
        },
    ),
}
"""Where a kind of service is named -> the word for it, and for each kind what it needs to start, as
`first_missing` reads it.
"""


SKIPPED_WITHOUT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("azure/prompt_shield", "azure/text_moderations"), "api_key api_base"),
    "compresr": "api_key/COMPRESR_API_KEY",
    "dynamoai": "api_key/DYNAMOAI_API_KEY",
    "enkryptai": "api_key/ENKRYPTAI_API_KEY",
    "generic_guardrail_api": "api_base/GENERIC_GUARDRAIL_API_BASE",
    "llm_as_a_judge": "judge_model",
    "onyx": "api_key/ONYX_API_KEY",
    "openai_moderation": "api_key/OPENAI_API_KEY",
    "panw_prisma_airs": "api_key/PANW_PRISMA_AIRS_API_KEY",
    "typesafe": "api_key/TYPESAFE_API_KEY",
}
"""Guardrail -> what LiteLLM starts without it for; those of NEEDS end the start."""


def _guardrails(config: CheckedConfig) -> Iterator[Finding]:
    """Guardrails that LiteLLM starts without: an error in its log is all that tells."""
    for path, row in at(config.merged, "guardrails.#"):
        name, params = mapping(row).get("guardrail_name"), mapping(row).get("litellm_params")
        named = isinstance(name, str) and params
        flaw = _flaw_of(mapping(params), config.environ) if named else None
        if flaw is not None:
            field, problem, fix = flaw
            what = f"The guardrail {name} {problem}: LiteLLM starts without it, and nothing guards."
            place = (*path, "litellm_params", *([field] if field in mapping(params) else []))
            yield config.error("guardrail_skipped", what, place, fix)


def _flaw_of(params: Mapping[Any, Any], environ: Mapping[str, str]) -> tuple[str, str, str] | None:
    """The field for which LiteLLM passes over a guardrail, what is wrong with it, and the fix."""
    modes = ", ".join(guardrail_modes())
    kind, mode = params.get("guardrail"), params.get("mode")
    if kind is None:
        return "guardrail", "has no `guardrail:` of its own", "Say which: `guardrail: KIND`."
    if isinstance(kind, str) and "." not in kind and kind not in known_guardrails():
        problem = f"is a {kind!r}, which LiteLLM {table_version()} does not know"
        fix = did_you_mean(kind, known_guardrails()) or "Correct it, or write `module.Class`."
        return "guardrail", problem, fix
    if mode is None:
        return "mode", "has no mode", f"Add `mode:` with one or a list of {modes}."
    for one in mode if isinstance(mode, list) else [mode]:
        if isinstance(one, str) and one not in guardrail_modes() and variable_of(one) is None:
            return "mode", f"has the mode {one!r}", f"Write one or a list of {modes}."
    if missing := first_missing(SKIPPED_WITHOUT.get(str(kind), ""), params, environ):
        return "guardrail", f"needs {missing}", f"Set {missing}, or take it out."
    return None


def _is_skipped(config: CheckedConfig, path: Place) -> bool:
    """Whether what a place below a guardrail says is never looked at."""
    params = mapping(value_at(config.merged, path[:-1]))
    return path[0] == "guardrails" and _flaw_of(params, config.environ) is not None


def _needs(config: CheckedConfig) -> Iterator[Finding]:
    """A service without its address or key."""
    for place, (word, kinds) in NEEDS.items():
        for path, kind in at(config.merged, place):
            needs = kinds.get(kind, "") if isinstance(kind, str) else ""
            beside = mapping(value_at(config.merged, path[:-1]))
            missing = first_missing(needs, beside, config.environ)
            if (word == "cache" and config.cache_params is None) or _is_skipped(config, path):
                continue
            if missing:
                what = (
                    f"The {word.replace('_', ' ')} {kind} needs {missing}: LiteLLM does not start."
                )
                yield config.error(word, what, path, f"Set {missing}, or take it out.")


LICENSED = (
    "general_settings.allowed_ips",
    "general_settings.enforced_params",
    "litellm_settings.tag_budget_config",
    "worker_registry",
)
"""What LiteLLM starts with only where LITELLM_LICENSE is set."""
LICENSED_MANAGERS = ("cyberark", "google_secret_manager", "hashicorp_vault")
"""Key managers of which the same holds."""


def _licences(config: CheckedConfig) -> Iterator[Finding]:
    for place in () if config.environ.get("LITELLM_LICENSE") else LICENSED:
        for path, value in at(config.merged, place):
            if value or (value is not None and len(path) > 1):  # an empty section is passed over
                what = f"{path[-1]} is for LiteLLM Enterprise: LiteLLM does not start."
                fix = "Set LITELLM_LICENSE, or take it out."
                yield config.error("licence", what, path, fix)
    manager = config.section("general_settings").get("key_management_system")
    if manager in LICENSED_MANAGERS and not config.environ.get("LITELLM_LICENSE"):
        what = f"The key manager {manager} is for LiteLLM Enterprise: LiteLLM does not start."
        path = ("general_settings", "key_management_system")
        yield config.error("licence", what, path, "Set LITELLM_LICENSE, or take it out.")


POLLED_PROVIDERS = frozenset({"openai", "openai_like", "hosted_vllm", "text-completion-openai"})
"""LiteLLM asks the api_base of such entries for their limits (MODEL_INFO_DISCOVERY_PROVIDERS)."""


def _health_checks(config: CheckedConfig) -> Iterator[Finding]:
    """The polling that costs money: a call to every model at every interval."""
    general = config.section("general_settings")
    if general.get("background_health_checks") is not True:
        return
    seconds = general.get("health_check_interval", 300)
    what = f"background_health_checks calls every model every {seconds} s, each call billed."
    fix = "Take it out, or set disable_background_health_check in the model_info of dear models."
    path = ("general_settings", "background_health_checks")
    yield config.warning("health_checks_cost", what, path, fix)


def _polling(config: CheckedConfig) -> Iterator[Finding]:
    """LiteLLM's free polling of an api_base: nothing wrong, but who sees it may wonder."""
    general = config.section("general_settings")
    if general.get("disable_model_info_refresh") is True or general.get("background_health_checks"):
        return
    polled = [
        (entry, host)
        for entry in config.entries
        if (host := _polled_host(entry.params, config.environ))
    ]
    if polled:
        hosts = ", ".join(sorted({host for _, host in polled})[:5])
        what = (
            f"LiteLLM asks {hosts} for /v1/models at its start and every 300 s, with the entry's"
            f" key, for each entry that has an api_base ({len(polled)} here)."
        )
        fix = "Where that is not wanted: general_settings.disable_model_info_refresh: true"
        path = ("model_list", polled[0][0].index, "litellm_params", "api_base")
        yield polled[0][0].file.finding(Level.OK, "polled_api_base", what, path, fix)


def _polled_host(params: dict[Any, Any], environ: Mapping[str, str]) -> str | None:
    """The host an entry has LiteLLM ask; never the whole URL, which may hold a key."""
    model, base = params.get("model"), resolved(params.get("api_base"), environ)
    if not isinstance(model, str) or not base or "*" in model:
        return None
    provider = params.get("custom_llm_provider") or model.partition("/")[0]
    if provider not in POLLED_PROVIDERS:
        return None
    try:
        return urlsplit(base).hostname or "its api_base"
    except ValueError:
        return "its api_base"
