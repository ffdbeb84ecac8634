"""Every trap doctor knows, as a config, with the codes of what doctor finds in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.litellm_proxy import MASTER_KEY

KEY = "sk-good-key-of-the-upstream"


@dataclass(frozen=True)
class Case:
    """One config.

    Attributes:
        trap: what is odd about it, for people. config, files: with UPSTREAM for the provider's
            address and KEY for a key it takes. environ: variables beside the master key; None
            unsets one. calls: further names to call. codes: what doctor finds.
        where: the config's path in its folder. policy: beside it; then doctor runs whole, with
            --check-keys, and what it says of keys counts too.
    """

    trap: str
    config: str
    codes: tuple[str, ...] = ()
    environ: dict[str, str | None] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    proxy_key: str = MASTER_KEY
    where: str = "config.yaml"
    policy: str = ""


def entry(
    name: str, params: str = "", info: str = "", *, model: str = "openai/x", key: str = "KEY"
) -> str:
    """An entry of model_list on one line; `key` "" leaves api_key out."""
    given = f", api_key: {key}" if key else ""
    more = f", {params}" if params else ""
    facts = f", model_info: {{{info}}}" if info else ""
    base = "" if "api_base" in params else ", api_base: UPSTREAM"
    fields = f"model: {model}{base}{given}{more}"
    return f"  - {{model_name: {name}, litellm_params: {{{fields}}}{facts}}}\n"


GOOD = entry("good", model="openai/good")
HEAD = "model_list:\n" + GOOD
ALIASES = HEAD + "router_settings:\n  model_group_alias: "


def odd(params: str = "", info: str = "", **named: str) -> str:
    """A good entry and an odd one."""
    return HEAD + entry("odd", params, info, **named)


def router(text: str) -> str:
    return (
        HEAD + entry("other", "", "id: the-id", model="openai/thing") + f"router_settings: {text}\n"
    )


def settings(text: str) -> str:
    return HEAD + f"litellm_settings: {text}\n"


def general(text: str) -> str:
    return HEAD + f"general_settings: {text}\n"


def credential(row: str, params: str = "litellm_credential_name: team") -> str:
    return odd(params, key="") + f"credential_list:\n  - {{{row}}}\n"


_ROW = "model_list:\n" + entry("odd")
_ALIAS = "router_settings: {model_group_alias: {best: "
INCLUDED = {
    "a key twice": ("duplicate_key", "x-a: 1\nx-a: 2\n"),
    "`model_info:` with nothing behind it": (
        "model_info_null",
        _ROW.replace("}}\n", "}, model_info: }\n"),
    ),
    "a number as a name": ("name_not_text", _ROW.replace("odd", "4.1")),
    "a name that is missing": ("no_model_name", _ROW.replace("model_name: odd, ", "")),
    "an entry that is a text": ("entry_no_mapping", "model_list: [odd]\n"),
    "an unset variable as model": (
        "variable_no_start",
        _ROW.replace("openai/x", "os.environ/X"),
    ),
    "an unset variable in a header": (
        "variable_unset",
        "model_list:\n" + entry("odd", "extra_headers: {H: os.environ/X}"),
    ),
    "an unknown provider": (
        "unknown_provider",
        _ROW.replace("model: openai/x, api_base: UPSTREAM", "model: nope/x"),
    ),
    "an alias that leads nowhere": ("alias_to_nothing", _ALIAS + "gone}}\n"),
    "an alias without `hidden`": ("alias_without_hidden", _ALIAS + "{model: good}}}\n"),
    "fallbacks that are no list": (
        "fallbacks_shape",
        "litellm_settings: {fallbacks: {good: [good]}}\n",
    ),
}
"""What is odd about an included file -> what doctor finds, its text."""
HANDLER = """from litellm.integrations.custom_logger import CustomLogger


class Handler(CustomLogger):
    pass


handler = Handler()
"""
WILDCARD = entry("'w/*'", model="'openai/*'")
TEAM = "credential_name: team, credential_values: {api_key: KEY}, credential_info: {}"
DEAD = (
    "  - {model_name: dead, litellm_params: {model: openai/dead, api_base: 'http://127.0.0.1:1',"
    " api_key: KEY, max_retries: 0}}\n"
)

ADAPTIVE = (
    "  - {model_name: odd, litellm_params: {model: auto_router/adaptive_router,"
    " adaptive_router_config: {available_models: [other]}}}\n"
)

POLICY = """\
version: 1
defaults: {timeout: 30s, deadline: 60s}
providers: {gate: {type: openai, base_url: "URL", key_env: GATE_KEY}}
allow: []
aliases: {}
"""
_GATED = HEAD + "  - {model_name: dead, litellm_params: {model: openai/x, api_base: 'URL',"
GATED = _GATED + " api_key: os.environ/GATE_KEY, max_retries: 0}}\n"


def gated(trap: str, *codes: str, url: str = "UPSTREAM", **environ: str | None) -> Case:
    """An entry behind a provider of the policy, asked whether it takes the key."""
    config, policy = (text.replace("URL", url) for text in (GATED, POLICY))
    return Case(trap, config, codes, environ=environ, policy=policy)


CASES: dict[str, list[Case]] = {
    "The file": [
        Case("nothing is odd", HEAD),
        Case("a tab as indent", "model_list:\n\t- a: 1\n", ("does_not_load",)),
        Case("a bracket that is not closed", "model_list: [\n", ("does_not_load",)),
        Case("a control character", HEAD + "# \x08\n", ("does_not_load",)),
        Case("two documents", "model_list: []\n---\na: 1\n", ("does_not_load",)),
        Case("a template", "model_list: {{ models }}\n", ("does_not_load",)),
        Case("`!!int ''`", HEAD + "x: !!int ''\n", ("does_not_load",)),
        Case("an empty file", "# nothing\n", ("empty",)),
        Case("a list at the top", "- a\n", ("no_mapping",)),
        Case("`model_list` twice", HEAD + "model_list: []\n", ("duplicate_key", "no_models")),
        Case(
            "a key twice in an entry",
            HEAD + "  - {model_name: a, model_name: odd, litellm_params:"
            " {model: openai/x, api_base: UPSTREAM, api_key: KEY}}\n",
            ("duplicate_key",),
        ),
        Case("lone carriage returns as line ends", HEAD.replace("\n", "\r")),
        Case("a byte order mark", "\ufeff" + HEAD),
        Case("a file that is not UTF-8", HEAD + "# caf\udce9\n", ("does_not_load",)),
        Case(
            "a file in UTF-16",
            HEAD.encode("utf-16").decode("utf-8", "surrogateescape"),
            ("does_not_load",),
        ),
        Case("names beyond ASCII", HEAD + entry("'café'") + entry("'naïve ü'")),
        Case("a path with blanks and brackets", HEAD, where="my proxy [1]/the config (2).yaml"),
        Case(
            "the same, with a file included",
            HEAD + "include: ['more [a] b.yaml']\n",
            where="my proxy [1]/config.yaml",
            files={"my proxy [1]/more [a] b.yaml": "model_list:\n" + entry("more")},
        ),
        Case(
            "`include:` of a folder",
            HEAD + "include: [sub]\n",
            ("include_missing",),
            files={"sub/i.yaml": "x-a: 1\n"},
        ),
        Case(
            "`include:` of a file that is not there",
            HEAD + "include: [gone.yaml]\n",
            ("include_missing",),
        ),
        Case(
            "the same, nested",
            HEAD + "include: [i.yaml]\n",
            ("include_missing",),
            files={"i.yaml": "include: [gone.yaml]\n"},
        ),
        Case("`include:` that is a text", HEAD + "include: i.yaml\n", ("include_no_list",)),
        Case("`include:` with nothing behind it", HEAD + "include:\n", ("include_no_list",)),
        Case(
            "an included file that is a list",
            HEAD + "include: [i.yaml]\n",
            ("no_mapping",),
            files={"i.yaml": "- a\n"},
        ),
        Case(
            "an included file with a tab",
            HEAD + "include: [i.yaml]\n",
            ("does_not_load",),
            files={"i.yaml": "model_list:\n\t- a\n"},
        ),
        Case("an included file that is empty", HEAD + "include: [i.yaml]\n", files={"i.yaml": ""}),
        Case(
            "an included file with a section of the root's",
            ALIASES + "{best: good}\ninclude: [i.yaml]\n",
            ("include_replaces",),
            files={"i.yaml": "router_settings: {num_retries: 1}\n"},
        ),
        Case(
            "the same section, with nothing lost",
            HEAD + "litellm_settings: {drop_params: true}\ninclude: [i.yaml]\n",
            files={"i.yaml": "litellm_settings: {drop_params: true, num_retries: 1}\n"},
        ),
        Case(
            "a section of one included file that the next one has",
            HEAD + "include: [i.yaml, j.yaml]\n",
            ("include_replaces",),
            files={
                "i.yaml": "router_settings: {model_group_alias: {best: good}}\n",
                "j.yaml": "router_settings: {num_retries: 1}\n",
            },
        ),
        Case(
            "an unset variable in a section that an included file replaces",
            HEAD + "litellm_settings: {callbacks: os.environ/X}\ninclude: [i.yaml]\n",
            ("include_replaces",),
            files={"i.yaml": "litellm_settings: {drop_params: true}\n"},
        ),
        Case(
            "an included file whose `model_list` is no list",
            HEAD + "include: [i.yaml]\n",
            ("model_list_no_list", "include_replaces"),
            files={"i.yaml": "model_list: {a: 1}\n"},
        ),
        Case(
            "an included file's `include:` that is a text",
            HEAD + "include: [i.yaml]\n",
            ("include_no_list",),
            files={"i.yaml": "include: j.yaml\n"},
        ),
        Case(
            "included files in a circle, one in a folder",
            HEAD + "include: [sub/i.yaml]\n",
            files={
                "sub/i.yaml": "include: [j.yaml, ../config.yaml]\nmodel_list:\n" + entry("i"),
                "sub/j.yaml": "include: [i.yaml]\nmodel_list:\n" + entry("j"),
            },
        ),
        Case(
            "an included file that is not UTF-8",
            HEAD + "include: [i.yaml]\n",
            ("does_not_load",),
            files={"i.yaml": "# caf\udce9\n"},
        ),
        *(
            Case(
                f"an included file with {trap}",
                HEAD + "include: [i.yaml]\n",
                (code,),
                files={"i.yaml": text},
            )
            for trap, (code, text) in INCLUDED.items()
        ),
        Case(
            "an included file whose entry does not fit",
            HEAD + "include: [i.yaml]\n",
            ("value_does_not_fit",),
            files={"i.yaml": "model_list:\n" + entry("odd", "rpm: 10k")},
        ),
    ],
    "Sections": [
        Case("`model_list:` with nothing behind it", "model_list:\n", ("no_models",)),
        Case("`model_list: 0`", "model_list: 0\n", ("no_models",)),
        Case("`model_list: {}`", "model_list: {}\n", ("no_models",)),
        Case("`model_list: {a: 1}`", "model_list: {a: 1}\n", ("model_list_no_list",)),
        Case("`router_settings: nope`", HEAD + "router_settings: nope\n", ("section_no_mapping",)),
        Case("`litellm_settings: [a]`", HEAD + "litellm_settings: [a]\n", ("section_no_mapping",)),
        Case("`general_settings: []`", HEAD + "general_settings: []\n", ("section_no_mapping",)),
        Case("an unknown section", HEAD + "litellm_setings: {a: 1}\n", ("unknown_section",)),
        Case(
            "`model_group_alias` at the top level",
            HEAD + "model_group_alias: {best: good}\n",
            ("misplaced_key",),
        ),
        Case(
            "`fallbacks` at the top level",
            HEAD + DEAD + "fallbacks: [{dead: [good]}]\n",
            ("misplaced_key",),
        ),
        Case("`guardrails: [a]`", HEAD + "guardrails: [a]\n", ("section_shape",)),
        Case(
            "a guardrail without a name",
            HEAD + "guardrails: [{litellm_params: {}}]\n",
            ("section_shape",),
        ),
        Case("`prompts: nope`", HEAD + "prompts: nope\n", ("section_shape",)),
        Case(
            "an MCP server with a dash in its name",
            HEAD + "mcp_servers: {garmin-connect: {url: 'http://127.0.0.1:1/mcp'}}\n",
            ("mcp_server_name",),
        ),
        Case(
            "`health_check_interval` in router_settings",
            router("{health_check_interval: 30}"),
            ("key_in_router",),
        ),
        Case(
            "an unknown routing strategy",
            router("{routing_strategy: fastest}"),
            ("value_does_not_fit",),
        ),
        Case(
            "`timeout: soon` in router_settings", router("{timeout: soon}"), ("value_does_not_fit",)
        ),
        Case(
            "`request_timeout: soon`", settings("{request_timeout: soon}"), ("value_does_not_fit",)
        ),
        Case("`max_budget: lots`", settings("{max_budget: lots}"), ("value_does_not_fit",)),
        Case(
            "`success_callback:` with nothing behind it",
            settings("{success_callback: null}"),
            ("no_value",),
        ),
        Case(
            "`request_timeout:` with nothing behind it",
            settings("{request_timeout: null}"),
            ("no_value",),
        ),
        Case(
            "a Redis cache without an address", settings("{cache: true}"), ("cache_without_redis",)
        ),
        Case("no master key", HEAD, ("master_key",), environ={"LITELLM_MASTER_KEY": None}),
        Case(
            "the example's master key",
            HEAD,
            ("master_key",),
            environ={"LITELLM_MASTER_KEY": "sk-1234"},
        ),
        Case("a master key that is a number", general("{master_key: 1234567890}"), ("master_key",)),
        Case(
            "the master key only in environment_variables",
            HEAD + "environment_variables: {LITELLM_MASTER_KEY: sk-from-the-file}\n",
            ("master_key",),
            environ={"LITELLM_MASTER_KEY": None},
        ),
        Case(
            "`master_key: ${NAME}`",
            general('{master_key: "${LITELLM_MASTER_KEY}"}'),
            ("variable_as_text",),
            proxy_key="${LITELLM_MASTER_KEY}",
        ),
        Case(
            "`background_health_checks: true`",
            general("{background_health_checks: true}"),
            ("health_checks_cost",),
        ),
        Case(
            "`store_model_in_db: true` with aliases",
            ALIASES + "{best: good}\ngeneral_settings: {store_model_in_db: true}\n",
            ("aliases_in_db",),
        ),
    ],
    "Entries": [
        Case("an entry that is a text", HEAD + "  - text\n", ("entry_no_mapping",)),
        Case(
            "an entry without model_name",
            HEAD + "  - {litellm_params: {model: openai/x}}\n",
            ("no_model_name",),
        ),
        Case("`model_name: 4.1`", HEAD + entry("4.1"), ("name_not_text",)),
        Case('`model_name: ""`', HEAD + entry('""'), ("name_empty",)),
        Case("a model_name beyond Latin-1", HEAD + entry("模型"), ("name_in_header",)),
        Case(
            "an entry without litellm_params",
            HEAD + "  - {model_name: odd}\n",
            ("no_litellm_model",),
        ),
        Case(
            "`model_info:` with nothing behind it",
            HEAD + "  - {model_name: odd, litellm_params: {model: openai/x}, model_info: null}\n",
            ("model_info_null", "variable_unset"),
        ),
        Case(
            "an unknown provider",
            HEAD + "  - {model_name: odd, litellm_params: {model: frobnicate/x, api_key: KEY}}\n",
            ("unknown_provider",),
        ),
        Case(
            "an unknown custom_llm_provider",
            odd("custom_llm_provider: nope"),
            ("unknown_provider",),
        ),
        Case(
            "`model: ''`",
            HEAD + "  - {model_name: odd, litellm_params: {model: '', api_key: KEY}}\n",
            ("unknown_provider",),
        ),
        Case("`rpm: 10k`", odd("rpm: 10k"), ("value_does_not_fit",)),
        Case("`tags: paid`", odd("tags: paid"), ("value_does_not_fit",)),
        Case("`max_retries: two`", odd("max_retries: two"), ("value_does_not_fit",)),
        Case(
            "`api_version: 2024-02-01` (a date)",
            odd("api_version: 2024-02-01"),
            ("value_does_not_fit",),
        ),
        Case(
            "a price that is no number",
            odd("", "input_cost_per_token: dear"),
            ("cost_not_a_number",),
        ),
        Case("`model_info: {tier: gold}`", odd("", "tier: gold"), ("value_does_not_fit",)),
        Case(
            "`rpm: 10k` for every entry",
            "model_list:\n" + entry("odd", "rpm: 10k"),
            ("value_does_not_fit",),
        ),
        Case("`timeout: soon`", odd("timeout: soon"), ("value_does_not_fit",)),
        Case(
            "`max_parallel_requests: ten`",
            odd("max_parallel_requests: ten"),
            ("value_does_not_fit",),
        ),
        Case("`weight: heavy`", odd("weight: heavy"), ("value_does_not_fit",)),
        Case('`weight: "2"`', odd('weight: "2"'), ("value_does_not_fit",)),
        Case("`rpm: -1`", odd("rpm: -1"), ("value_does_not_fit",)),
        Case("`extra_headers: nope`", odd("extra_headers: nope"), ("value_does_not_fit",)),
        Case("`model_info: {mode: 5}`", odd("", "mode: 5"), ("value_does_not_fit",)),
        Case(
            "`max_input_tokens: lots`", odd("", "max_input_tokens: lots"), ("value_does_not_fit",)
        ),
        Case(
            "`supports_vision: maybe`", odd("", "supports_vision: maybe"), ("value_does_not_fit",)
        ),
        Case("`access_windows: soon`", odd("", "access_windows: soon"), ("value_does_not_fit",)),
        Case("`access_groups: 5`", odd("", "access_groups: 5"), ("value_does_not_fit",)),
        Case(
            "`rpm: 10k` beside litellm_params",
            HEAD + entry("odd").replace("model_name: odd,", "model_name: odd, rpm: 10k,"),
            ("value_does_not_fit",),
        ),
        Case(
            "values that do fit",
            odd(
                'rpm: "10", timeout: "5", max_retries: "2", tags: [a], drop_params: true',
                "id: 5, tier: free, max_input_tokens: '1000'",
            ),
        ),
        Case(
            "two entries with one model_info.id",
            odd("", "id: twin") + entry("other", "", "id: twin"),
            ("shared_id",),
        ),
        Case(
            "supported_environments of elsewhere",
            odd("", "supported_environments: [staging]"),
            environ={"LITELLM_ENVIRONMENT": "production"},
        ),
        Case(
            "supported_environments, LITELLM_ENVIRONMENT unset",
            odd("", "supported_environments: [staging]"),
            ("environments",),
        ),
        Case(
            "supported_environments that is a text",
            odd("", "supported_environments: production"),
            ("environments",),
            environ={"LITELLM_ENVIRONMENT": "production"},
        ),
        Case("`blocked: true`", odd("", "blocked: true")),
        Case("`team_id`", odd("", "team_id: t1")),
        Case(
            "a wildcard",
            HEAD + WILDCARD,
            ("wildcard",),
            calls=("w/any",),
        ),
    ],
    "Variables": [
        Case(
            "`model: os.environ/X`, X unset",
            HEAD + entry("odd", model="os.environ/X"),
            ("variable_no_start",),
        ),
        Case(
            "`model_name: os.environ/X`, X unset",
            HEAD + entry("os.environ/X"),
            ("variable_no_start",),
        ),
        Case(
            "`cache_params.host: os.environ/X`, X unset",
            settings("{cache: true, cache_params: {type: redis, host: os.environ/X, port: 6379}}"),
            ("cache_without_redis", "variable_ignored"),
        ),
        Case(
            "`callbacks: os.environ/X`, X unset",
            settings("{callbacks: os.environ/X}"),
            ("variable_no_start",),
        ),
        Case("`api_key: os.environ/X`, X unset", odd(key="os.environ/X"), ("variable_unset",)),
        Case(
            "the same, OPENAI_API_KEY set",
            odd(key="os.environ/X"),
            ("variable_falls_back",),
            environ={"OPENAI_API_KEY": KEY},
        ),
        Case("no api_key, OPENAI_API_KEY unset", odd(key=""), ("variable_unset",)),
        Case(
            "`api_key: os.environ/X` of a local server, X unset",
            odd(model="hosted_vllm/x", key="os.environ/X"),
            ("variable_ignored",),
        ),
        Case(
            "`api_key: os.environ/X`, X only in environment_variables",
            odd(key="os.environ/X") + "environment_variables: {X: KEY}\n",
            ("variable_unset",),
        ),
        Case(
            "`extra_headers: {H: os.environ/X}`, X unset",
            odd("extra_headers: {H: os.environ/X}"),
            ("variable_unset",),
        ),
        Case(
            "`input_cost_per_token: os.environ/X`, X unset",
            odd("", "input_cost_per_token: os.environ/X"),
            ("variable_ignored",),
        ),
        Case("`rpm: os.environ/X`, X unset", odd("rpm: os.environ/X"), ("variable_ignored",)),
        Case(
            "`rpm: os.environ/X`, X is `10k`",
            odd("rpm: os.environ/X"),
            ("value_does_not_fit",),
            environ={"X": "10k"},
        ),
        Case(
            "`routing_strategy: os.environ/X`, X unset",
            router("{routing_strategy: os.environ/X}"),
            ("variable_unset",),
        ),
        Case(
            "`redis_host: os.environ/X` of the router, X unset",
            router("{redis_host: os.environ/X}"),
            ("variable_ignored",),
        ),
        Case(
            "an alias to os.environ/X, X unset",
            ALIASES + "{best: os.environ/X}\n",
            ("variable_unset",),
        ),
        Case("`tags: [os.environ/X]`", odd("tags: [os.environ/X]"), ("variable_as_text",)),
        Case(
            '`api_key: "${NAME}"`',
            odd(key='"${OPENAI_API_KEY}"'),
            ("variable_as_text",),
            environ={"OPENAI_API_KEY": KEY},
        ),
        Case(
            "`api_key: $NAME`",
            odd(key="$OPENAI_API_KEY"),
            ("variable_as_text",),
            environ={"OPENAI_API_KEY": KEY},
        ),
        Case(
            "`api_key: os.environ.NAME`",
            odd(key="os.environ.OPENAI_API_KEY"),
            ("variable_as_text",),
            environ={"OPENAI_API_KEY": KEY},
        ),
        Case(
            '`api_key: " os.environ/NAME"`',
            odd(key='" os.environ/OPENAI_API_KEY"'),
            ("variable_as_text",),
            environ={"OPENAI_API_KEY": KEY},
        ),
    ],
    "Services": [
        Case(
            "an MCP server that does not answer",
            HEAD + "mcp_servers: {one: {transport: http, url: 'http://127.0.0.1:1/mcp'}}\n",
        ),
        Case(
            "an MCP server with a transport nobody knows",
            HEAD + "mcp_servers: {one: {transport: htpp, url: 'http://127.0.0.1:1'}}\n",
            ("mcp_server",),
        ),
        Case(
            "an MCP server whose url is a number",
            HEAD + "mcp_servers: {one: {url: 4000}}\n",
            ("mcp_server",),
        ),
        Case(
            "a cache of a type nobody knows",
            settings("{cache: true, cache_params: {type: redsi}}"),
            ("cache_type",),
        ),
        Case(
            "a cache whose package is not there",
            settings("{cache: true, cache_params: {type: disk}}"),
            ("package_missing",),
        ),
        Case("a local cache", settings("{cache: true, cache_params: {type: local}}")),
        Case("settings of a cache of no type", settings("{cache: true, cache_params: {ttl: 60}}")),
        Case(
            "a guardrail whose service has no address",
            HEAD + "guardrails: [{guardrail_name: a,"
            " litellm_params: {guardrail: presidio, mode: pre_call}}]\n",
            ("guardrail",),
        ),
        Case(
            "the same, with an unset variable in its place",
            HEAD + "guardrails: [{guardrail_name: a, litellm_params: {guardrail: presidio,"
            " mode: pre_call, presidio_analyzer_api_base: os.environ/X,"
            " presidio_anonymizer_api_base: 'http://127.0.0.1:1'}}]\n",
            ("guardrail", "variable_ignored"),
        ),
        Case(
            "a guardrail without a mode",
            HEAD + "guardrails: [{guardrail_name: a, litellm_params: {guardrail: bedrock}}]\n",
            ("guardrail_skipped",),
        ),
        Case(
            "a guardrail with a mode that is none",
            HEAD + "guardrails: [{guardrail_name: a,"
            " litellm_params: {guardrail: bedrock, mode: before}}]\n",
            ("guardrail_skipped",),
        ),
        Case(
            "a guardrail of a kind nobody knows",
            HEAD + "guardrails: [{guardrail_name: a,"
            " litellm_params: {guardrail: bedrok, mode: pre_call}}]\n",
            ("guardrail_skipped",),
        ),
        Case(
            "a guardrail without its key, which LiteLLM passes over",
            HEAD + "guardrails: [{guardrail_name: a,"
            " litellm_params: {guardrail: onyx, mode: pre_call}}]\n",
            ("guardrail_skipped",),
        ),
        Case(
            "a guardrail with its addresses",
            HEAD + "guardrails: [{guardrail_name: a,"
            " litellm_params: {guardrail: presidio, mode: pre_call}}]\n",
            environ={
                "PRESIDIO_ANALYZER_API_BASE": "http://127.0.0.1:1",
                "PRESIDIO_ANONYMIZER_API_BASE": "http://127.0.0.1:1",
            },
        ),
        Case(
            "a path passed through, without the path",
            general("{pass_through_endpoints: [{target: 'http://127.0.0.1:1'}]}"),
            ("section_shape",),
        ),
        Case(
            "the same, with nothing behind the path",
            general("{pass_through_endpoints: [{path: , target: 'http://127.0.0.1:1'}]}"),
            ("no_value",),
        ),
        Case(
            "the same, with an empty path",
            general("{pass_through_endpoints: [{path: '', target: 'http://127.0.0.1:1'}]}"),
        ),
        Case("`pass_through_endpoints: {a: 1}`", general("{pass_through_endpoints: {a: 1}}")),
        Case(
            "`litellm_jwtauth` that is a text",
            general("{enable_jwt_auth: true, litellm_jwtauth: nope}"),
            ("jwtauth",),
        ),
        Case("the same, where it is off", general("{litellm_jwtauth: nope}"), ("jwtauth",)),
        Case(
            "`litellm_jwtauth:` with nothing behind it",
            general("{enable_jwt_auth: true, litellm_jwtauth: }"),
        ),
        Case(
            "the settings of a team that has no name",
            settings("{default_team_settings: [{success_callback: [langfuse]}]}"),
            ("section_shape",),
        ),
        Case(
            "a team whose name is a number",
            settings("{default_team_settings: [{team_id: 5}]}"),
            ("section_shape",),
        ),
        Case("`default_team_settings: {}`", settings("{default_team_settings: {}}")),
        Case(
            "an own provider without a handler",
            settings("{custom_provider_map: [{provider: mine}]}"),
            ("section_shape",),
        ),
        Case(
            "an own provider with nothing behind its handler",
            settings("{custom_provider_map: [{provider: mine, custom_handler: }]}"),
            ("no_value",),
        ),
        Case(
            "a key management nobody knows",
            general("{key_management_system: vault}"),
            ("value_does_not_fit",),
        ),
        Case(
            "`litellm_key_header_name: 5`",
            general("{litellm_key_header_name: 5}"),
            ("value_does_not_fit",),
        ),
        Case(
            "`allowed_routes: 5`",
            general("{allowed_routes: 5}"),
            ("value_does_not_fit",),
        ),
        Case(
            "`alerting_config` in router_settings",
            HEAD + "router_settings: {alerting_config: {webhook_url: 'http://127.0.0.1:1'}}\n",
            ("key_in_router",),
        ),
        Case(
            "`provider_budget_config: 5`",
            HEAD + "router_settings: {provider_budget_config: 5}\n",
            ("value_does_not_fit",),
        ),
        Case("`responses: text`", settings("{responses: text}"), ("value_does_not_fit",)),
        Case("`files_settings: 5`", HEAD + "files_settings: 5\n", ("section_shape",)),
        Case("a prompt without an id", HEAD + "prompts: [{a: 1}]\n", ("section_shape",)),
        Case(
            "a prompt with nothing behind its parameters",
            HEAD + "prompts: [{prompt_id: a, litellm_params: }]\n",
            ("no_value",),
        ),
        Case(
            "a guardrail whose name is a number",
            HEAD + "guardrails: [{guardrail_name: 5,"
            " litellm_params: {guardrail: bedrock, mode: pre_call}}]\n",
            ("section_shape",),
        ),
    ],
    "Settings by their types": [
        *(
            Case(f"`{text}`", settings(f"{{{text}}}"), (code,))
            for text, code in {
                "guardrails: nope": "value_does_not_fit",
                "tag_budget_config: {a: {max_budget: 1, budget_duration: 1d}}": "licence",
                "key_alias_pattern: '['": "value_does_not_fit",
                "budget_reset_time: 12:00": "value_does_not_fit",
                "upperbound_key_generate_params: {max_budget: lots}": "section_shape",
            }.items()
        ),
        *(
            Case(f"`{text}`", general(f"{{{text}}}"), (code,) if code else ())
            for text, code in {
                "vector_store_deny_by_default: maybe": "value_does_not_fit",
                "alerting: 5": "value_does_not_fit",
                "plugins: [{name: a}]": "section_shape",
                "key_management_settings: {access_mode: all}": "section_shape",
                "allowed_ips: [127.0.0.1]": "licence",
                "alerting: [slack], alerting_args: text": "value_does_not_fit",
                "alerting: [slack], alerting_args: {daily_report_frequency: soon}": (
                    "section_shape"
                ),
                "alerting_args: {daily_report_frequency: soon}": "",
                "coordination_redis: {}": "section_shape",
                "spend_logs_metadata_fields: {}": "section_shape",
                "spend_logs_metadata_fields: {include: [user_api_key]}": "",
                "key_management_system: custom": "key manager",
            }.items()
        ),
        *(
            Case(f"`{text}`", router(f"{{{text}}}"), (code,) if code else ())
            for text, code in {
                "retry_policy: {RateLimitErrorRetries: lots}": "section_shape",
                "redis_url: 'localhost:6379'": "value_does_not_fit",
                "routing_groups: [{group_name: a}]": "section_shape",
                "provider_budget_config: {openai: 5}": "section_shape",
                "routing_strategy: latency-based-routing, routing_strategy_args: text": (
                    "value_does_not_fit"
                ),
                "routing_strategy: latency-based-routing, routing_strategy_args: {ttl: soon}": (
                    "section_shape"
                ),
                "routing_strategy: usage-based-routing-v2, routing_strategy_args: {ttl: 1.5}": (
                    "section_shape"
                ),
                "routing_strategy: simple-shuffle, routing_strategy_args: {ttl: soon}": "",
                "routing_groups: [{group_name: g, models: [good], routing_strategy:"
                " latency-based-routing, routing_strategy_args: {ttl: soon}}]": "section_shape",
            }.items()
        ),
        *(
            Case(f"`{text}`", f"{HEAD}{text}\n", (code,) if code else ())
            for text, code in {
                "assistant_settings: {a: 1}": "section_shape",
                "finetune_settings: {a: 1}": "section_shape",
                "files_settings: [a]": "",
                "search_tools: [{search_tool_name: a, litellm_params: }]": "no_value",
                "vector_store_registry: [{litellm_params: {vector_store_id: a}}]": "section_shape",
                "policies: {a: {guardrails: b}}": "section_shape",
                "prompts: [{prompt_id: a, litellm_params: {}}]": "section_shape",
                "prompts: [{prompt_id: a, litellm_params: {prompt_integration: b}}]": (
                    "section_shape"
                ),
                "prompts: [{prompt_id: a, litellm_params: {prompt_integration: gitlab}}]": "prompt",
                "guardrails: [{guardrail_name: a, litellm_params: {guardrail: aim,"
                " mode: pre_call}}]": "guardrail",
                "guardrails: [{guardrail_name: a, litellm_params: {guardrail: aim,"
                " mode: pre_call, api_key: a}}]": "",
                "mcp_servers: {a: {url: 'http://127.0.0.1:1', auth_type: oauth2}}": "login",
            }.items()
        ),
        Case("`callbacks: [presidio]`", settings("{callbacks: [presidio]}"), ("callback",)),
        Case(
            "an Azure cache without an address",
            settings("{cache: true, cache_params: {type: azure-blob}}"),
            ("cache",),
        ),
        Case("`max_agentic_loops: 0`", odd("max_agentic_loops: 0"), ("value_does_not_fit",)),
        Case("`tag_regex: ['[']`", odd("tag_regex: ['[']"), ("value_does_not_fit",)),
        Case(
            "a router among models without its settings",
            odd(model="auto_router/complexity_router"),
            ("auto_router",),
        ),
        Case(
            "an adaptive router without its settings",
            odd(model="auto_router/adaptive_router"),
            ("auto_router",),
        ),
        Case(
            "one over a model whose preferences do not fit",
            HEAD + entry("other", "", "adaptive_router_preferences: {quality_tier: 5}") + ADAPTIVE,
            ("auto_router",),
        ),
        Case(
            "preferences that no adaptive router reads",
            odd("", "adaptive_router_preferences: {quality_tier: 5}"),
        ),
    ],
    "Models without a provider": [
        Case("a model LiteLLM's own table knows", odd(model="gpt-4o")),
        Case(
            "one it does not know",
            odd(model="gemini-1.5-pro", key=""),
            ("unknown_provider",),
        ),
        Case(
            "the same, on a server of one's own",
            odd(model="qwen3-coder"),
            ("unknown_provider",),
        ),
        Case(
            "the same, with the provider beside it",
            odd("custom_llm_provider: openai", model="qwen3-coder"),
        ),
        Case(
            "a maker before the slash",
            odd(model="mistralai/mistral-small"),
            ("unknown_provider",),
        ),
        Case(
            "a maker, on a server LiteLLM knows by its address",
            odd(
                "api_base: 'https://api.groq.com/openai/v1', mock_response: hi", model="qwen/qwen3"
            ),
        ),
        Case(
            "a maker, on one it does not know",
            odd("api_base: 'https://openrouter.ai/api/v1'", model="qwen/qwen3"),
            ("unknown_provider",),
        ),
        Case("a fine-tuned model", odd(model="'ft:gpt-4o:me::1'")),
    ],
    "Python modules": [
        Case("a callback of LiteLLM's own", settings("{callbacks: [braintrust]}")),
        Case(
            "a callback whose package is not there",
            settings("{callbacks: [prometheus]}"),
            ("package_missing",),
        ),
        Case(
            "the same, for what succeeded",
            settings("{success_callback: [langfuse]}"),
            ("package_missing",),
        ),
        Case(
            "the same, for what failed",
            settings("{failure_callback: [prometheus]}"),
            ("package_missing",),
        ),
        Case(
            "a callback that needs OpenTelemetry",
            settings("{callbacks: [arize_phoenix]}"),
            ("package_missing",),
        ),
        Case("a callback nobody knows", settings("{callbacks: [langfues]}"), ("callbacks",)),
        Case("the same, for what succeeded: no effect", settings("{success_callback: [nobody]}")),
        Case("a callback for Enterprise", settings("{callbacks: [hide_secrets]}"), ("callbacks",)),
        Case("`callbacks: otel`", settings("{callbacks: otel}"), ("callbacks",)),
        Case("`callbacks: 5`", settings("{callbacks: 5}"), ("callbacks",)),
        Case(
            "`success_callback: langfuse`",
            settings("{success_callback: langfuse}"),
            ("callbacks",),
        ),
        Case("a number among the callbacks", settings("{callbacks: [5]}"), ("callbacks",)),
        Case(
            "a number among those for what succeeded",
            settings("{success_callback: [5]}"),
            ("callbacks",),
        ),
        Case("no callbacks at all", settings("{callbacks: [], success_callback: []}")),
        Case("a module that is not there", settings("{callbacks: own.handler}"), ("module",)),
        Case("the same, in a list", settings("{callbacks: [own.handler]}"), ("module",)),
        Case("the same, elsewhere", settings("{failure_callback: [own.handler]}"), ("module",)),
        Case("the same, in a folder", settings("{callbacks: [a.own.handler]}"), ("module",)),
        Case(
            "a module beside the config",
            settings("{callbacks: [own.handler]}"),
            files={"own.py": HANDLER},
        ),
        Case(
            "a module in a folder",
            settings("{callbacks: a.own.handler}"),
            files={"a/own.py": HANDLER},
        ),
        Case(
            "a module without that name",
            settings("{callbacks: [own.handlre]}"),
            ("module",),
            files={"own.py": HANDLER},
        ),
        Case(
            "a class in place of an instance",
            settings("{callbacks: [own.Handler]}"),
            ("module",),
            files={"own.py": HANDLER},
        ),
        Case(
            "a module that is no Python",
            settings("{callbacks: [own.handler]}"),
            ("module",),
            files={"own.py": "def handler(:\n"},
        ),
        Case(
            "a handler of an own provider that is not there",
            settings("{custom_provider_map: [{provider: mine, custom_handler: own.handler}]}"),
            ("module",),
        ),
        Case(
            "`post_call_rules` that are not there",
            settings("{post_call_rules: own.rule}"),
            ("module",),
        ),
        Case("`custom_auth` that is not there", general("{custom_auth: own.auth}"), ("module",)),
        Case("`custom_sso` that is not there", general("{custom_sso: own.sso}"), ("module",)),
        Case(
            "a guardrail of one's own that is not there",
            HEAD + "guardrails: [{guardrail_name: mine,"
            " litellm_params: {guardrail: own.Guard, mode: pre_call}}]\n",
            ("module",),
        ),
        Case(
            "an address of no PostgreSQL",
            HEAD,
            ("database",),
            environ={"DATABASE_URL": "sqlite:///litellm.db"},
        ),
        Case(
            "the same, in environment_variables",
            HEAD + "environment_variables: {DATABASE_URL: 'sqlite:///litellm.db'}\n",
            ("database",),
        ),
    ],
    "Credentials": [
        Case("a credential that is well", credential(TEAM)),
        Case(
            "a credential that does not exist",
            odd("litellm_credential_name: gone", key=""),
            ("credential_nowhere",),
        ),
        Case(
            "a credential whose variable is unset",
            credential(
                "credential_name: team, credential_values: {api_key: os.environ/X},"
                " credential_info: {}"
            ),
            ("variable_unset",),
        ),
        Case(
            "a credential without credential_info",
            credential("credential_name: team, credential_values: {api_key: KEY}"),
            ("credential_shape",),
        ),
        Case("`credential_list: nope`", HEAD + "credential_list: nope\n", ("credential_shape",)),
        Case(
            "an api_key beside a credential",
            odd("litellm_credential_name: team") + f"credential_list:\n  - {{{TEAM}}}\n",
            ("credential_unused",),
        ),
    ],
    "Aliases": [
        Case(
            "an alias that is well", ALIASES + "{best: good, quiet: {model: good, hidden: true}}\n"
        ),
        Case(
            "an alias to a `litellm_params.model`",
            router("{model_group_alias: {best: openai/thing}}"),
        ),
        Case(
            "an alias to a model_info.id",
            router("{model_group_alias: {best: the-id}}"),
            ("alias_to_id",),
        ),
        Case("an alias to nothing", ALIASES + "{best: gone}\n", ("alias_to_nothing",)),
        Case("an alias to an alias", ALIASES + "{first: good, best: first}\n", ("alias_to_alias",)),
        Case(
            "an alias without `hidden`",
            ALIASES + "{best: {model: good}}\n",
            ("alias_without_hidden",),
        ),
        Case(
            "a hidden alias without `model`",
            ALIASES + "{best: {hidden: true}}\n",
            ("alias_without_hidden",),
            calls=("best",),
        ),
        Case(
            "an alias to a number", ALIASES + "{best: 5}\n", ("alias_no_target",), calls=("best",)
        ),
        Case("an alias that is a number", ALIASES + "{4.1: good}\n", ("alias_not_text",)),
        Case(
            "an alias named like a model",
            router("{model_group_alias: {good: other}}"),
            ("alias_shadows_model",),
        ),
        Case(
            "an alias named like a model_info.id",
            router("{model_group_alias: {the-id: good}}"),
            ("alias_is_id",),
        ),
        Case("an alias beyond Latin-1", ALIASES + "{模型: good}\n", ("name_in_header",)),
        Case("an alias map that is a list", ALIASES + "[best]\n", ("alias_map",)),
        Case(
            "an alias that a wildcard serves",
            HEAD + WILDCARD + "router_settings: {model_group_alias: {best: w/any}}\n",
            ("wildcard",),
        ),
        Case(
            "an alias to an entry that is dropped",
            HEAD + entry("odd", "rpm: 10k") + "router_settings: {model_group_alias: {best: odd}}\n",
            ("value_does_not_fit", "alias_to_dropped"),
        ),
    ],
    "Fallbacks": [
        Case(
            "fallbacks to a name, a model, an id, an alias",
            HEAD
            + entry("other", "", "id: the-id", model="openai/thing")
            + DEAD
            + "router_settings: {model_group_alias: {best: good},"
            " fallbacks: [{dead: [other, openai/thing, the-id, best]}]}\n",
        ),
        Case(
            "a fallback to nothing",
            HEAD + DEAD + "router_settings: {fallbacks: [{dead: [gone]}]}\n",
            ("fallback_to_nothing",),
        ),
        Case(
            "a fallback of nothing",
            router("{fallbacks: [{gone: [good]}]}"),
            ("fallback_from_nothing",),
        ),
        Case(
            "fallbacks that are a mapping",
            router("{fallbacks: {good: [other]}}"),
            ("fallbacks_shape",),
        ),
        Case(
            "fallbacks that are a text",
            router("{fallbacks: [{good: other}]}"),
            ("fallbacks_shape",),
        ),
        Case("`fallbacks: [typo]`", router("{fallbacks: [typo]}"), ("fallbacks_shape",)),
        Case(
            "`default_fallbacks: good`", settings("{default_fallbacks: good}"), ("fallbacks_shape",)
        ),
        Case(
            "`default_fallbacks: [typo]`",
            HEAD + DEAD + "litellm_settings: {default_fallbacks: [typo]}\n",
            ("fallback_to_nothing",),
        ),
        Case(
            "`context_window_fallbacks: {a: [b]}`",
            router("{context_window_fallbacks: {good: [other]}}"),
            ("fallbacks_shape",),
        ),
        Case(
            "fallbacks of a model, called by its alias",
            HEAD
            + DEAD
            + "router_settings: {model_group_alias: {best: dead}, fallbacks: [{dead: [good]}]}\n",
            ("fallback_not_by_alias",),
        ),
        Case(
            "fallbacks in two sections",
            HEAD + DEAD + "litellm_settings: {fallbacks: [{dead: [good]}]}\n"
            "router_settings: {fallbacks: [{dead: [dead]}]}\n",
            ("fallbacks_twice",),
        ),
    ],
    "Keys, with --check-keys": [
        gated("a key that its provider takes", GATE_KEY=KEY),
        gated("a key that its provider refuses", "key_refused", GATE_KEY="sk-revoked-0123456789"),
        gated(
            "a provider that cannot be reached",
            "key_unchecked",
            url="http://127.0.0.1:1/v1",
            GATE_KEY=KEY,
        ),
        gated("a key with a blank behind it", "key_odd", GATE_KEY=f"{KEY} "),
        gated("a key that is not set", "no_key", "variable_unset"),
    ],
}
