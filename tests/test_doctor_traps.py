"""Each trap LiteLLM swallows in a config is found, with its line and a fix."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.inspect import releases
from rollcall.inspect.checked_config import CheckedConfig
from rollcall.inspect.findings import Finding, Level, at_most
from rollcall.inspect.traps import find_traps
from tests.litellm_cases import INCLUDED
from tests.tools import litellm_matrix

FINE = """\
model_list:
  - model_name: alpha
    litellm_params: {model: openai/gpt-5.5, api_key: os.environ/OPENAI_API_KEY}
    model_info: {id: a, input_cost_per_token: 1.0e-06, output_cost_per_token: "1e-05"}
  - model_name: beta
    litellm_params: {model: anthropic/claude-haiku-4-5}
litellm_settings: {drop_params: true}
router_settings:
  model_group_alias:
    best: alpha
    cheap: {model: beta, hidden: true}
  fallbacks:
    - alpha: [beta]
    - best: [beta]
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
x-ours: {anything: 1}
"""
SET = dict.fromkeys(
    ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "XAI_API_KEY", "LITELLM_MASTER_KEY"), "1"
)
ENTRY = "  - {model_name: alpha, litellm_params: {model: openai/gpt-5.5}}\n"
HEAD = "model_list:\n" + ENTRY
ALIASES = HEAD + "router_settings:\n  model_group_alias:\n"
KEY = "sk-proj-abcdefghijklmnop1234567890"


def found(text: str, **site: Any) -> list[Finding]:
    return list(find_traps(CheckedConfig("config.yaml", text.encode(), **{"environ": SET, **site})))


def test_a_good_config_has_none() -> None:
    assert found(FINE) == []


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("model_list: [\n", "does_not_load", 2),
        ("model_list:\n\t- a: 1\n", "does_not_load", 2),
        ("a: 1\n---\nb: 2\n", "does_not_load", 2),
        ("", "empty", None),
        ("# only a comment\n", "empty", None),
        ("- a\n- b\n", "no_mapping", 1),
        (HEAD + "model_list: []\n", "duplicate_key", 3),
        (HEAD + "  - model_name: b\n    model_name: c\n", "duplicate_key", 4),
        (ALIASES + "    a: alpha\n    a: alpha\n", "duplicate_key", 6),
        (HEAD + "x-a: {b: 1, b: 2}\n", "duplicate_key", 3),
        ("model_list:\n", "no_models", 1),
        ("model_list: []\n", "no_models", 1),
        ("litellm_settings: {}\n", "no_models", None),
        ("model_list: {a: 1}\n", "model_list_no_list", 1),
        (HEAD + "  - just text\n", "entry_no_mapping", 3),
        (HEAD + "  -\n", "entry_no_mapping", 3),
        (HEAD + "  - {litellm_params: {model: openai/b}}\n", "no_model_name", 3),
        (HEAD + "  - model_name: 4.1\n    litellm_params: {model: openai/b}\n", "name_not_text", 3),
        (HEAD + "  - litellm_params: {model: openai/b}\n    model_name: on\n", "name_not_text", 4),
        (HEAD + "  - model_name: b\n", "no_litellm_model", 3),
        (HEAD + "  - model_name: b\n    litellm_params: {}\n", "no_litellm_model", 4),
        (
            HEAD + "  - model_name: b\n    litellm_params: {model: openai/b}\n    model_info:\n",
            "model_info_null",
            5,
        ),
        (
            HEAD + "  - model_name: b\n    litellm_params: {model: openai/b}\n"
            "    model_info:\n      input_cost_per_token: cheap\n",
            "cost_not_a_number",
            6,
        ),
        (
            HEAD + "  - model_name: b\n    litellm_params:\n      model: openai/b\n"
            "      output_cost_per_token: -1\n",
            "cost_no_price",
            6,
        ),
        (HEAD + "  - model_name: xai/*\n    litellm_params: {model: xai/*}\n", "wildcard", 3),
        (
            HEAD
            + "  - model_name: b\n    litellm_params: {model: openai/b}\n    model_info: {id: x}\n"
            "  - model_name: c\n    litellm_params: {model: openai/c}\n    model_info: {id: x}\n",
            "shared_id",
            8,
        ),
        (
            HEAD + "  - model_name: b\n    litellm_params:\n      model: mistral/b\n"
            "      api_key: os.environ/NOBODY_SETS_THIS\n",
            "variable_unset",
            6,
        ),
        (
            HEAD + f"  - model_name: b\n    litellm_params:\n      model: openai/b\n"
            f"      api_key: {KEY}\n",
            "plain_key",
            6,
        ),
        *(
            (HEAD + f"  - {{model_name: b, litellm_params: {{api_key: {key}}}}}\n", "plain_key", 3)
            for key in ("csk-abcdefgh12345678", "fw_abcdefgh12345678", "AIzaSyA1234567890abcd")
        ),
        (HEAD + "general_settings:\n  master_key: sk-plain\n", "plain_master_key", 4),
        (ALIASES.replace("alias:\n", "alias: [a]\n"), "alias_map", 4),
        (ALIASES + "    best: {model: alpha}\n", "alias_without_hidden", 5),
        (ALIASES + "    best: {hidden: false}\n", "alias_without_hidden", 5),
        (ALIASES + "    best:\n", "alias_no_target", 5),
        (ALIASES + "    best: 4\n", "alias_no_target", 5),
        (ALIASES + "    4.1: alpha\n", "alias_not_text", 5),
        (ALIASES + "    best: alhpa\n", "alias_to_nothing", 5),
        (ALIASES + "    a: alpha\n    best: a\n", "alias_to_alias", 6),
        (ALIASES + "    alpha: alpha\n", "alias_shadows_model", 5),
        (HEAD + "router_settings:\n  fallbacks: {a: [b]}\n", "fallbacks_shape", 4),
        (HEAD + "router_settings:\n  fallbacks:\n    - alpha\n", "fallbacks_shape", 5),
        (HEAD + "router_settings:\n  fallbacks:\n    - {a: [b], c: [d]}\n", "fallbacks_shape", 5),
        (HEAD + "router_settings:\n  fallbacks:\n    - alpha: beta\n", "fallbacks_shape", 5),
        (
            HEAD + "router_settings:\n  fallbacks:\n    - gone: [alpha]\n",
            "fallback_from_nothing",
            5,
        ),
        (
            HEAD + "litellm_settings:\n  context_window_fallbacks:\n    - alpha: [gone]\n",
            "fallback_to_nothing",
            5,
        ),
        (
            HEAD + "litellm_settings:\n  fallbacks: [{alpha: [alpha]}]\n"
            "router_settings:\n  fallbacks: [{alpha: [alpha]}]\n",
            "fallbacks_twice",
            4,
        ),
        (
            ALIASES + "    best: alpha\n  fallbacks:\n    - alpha: [alpha]\n",
            "fallback_not_by_alias",
            6,
        ),
        (HEAD + "model_group_alias: {a: alpha}\n", "misplaced_key", 3),
        (HEAD + "litellm_settings:\n  master_key: os.environ/K\n", "misplaced_key", 4),
        (HEAD + "litellm_setings: {drop_params: true}\n", "unknown_section", 3),
        (HEAD + "router_settings: [a]\n", "section_no_mapping", 3),
        (
            HEAD + "router_settings:\n  health_check_interval: 30\n",
            "key_in_router",
            4,
        ),
        (HEAD + "include: models.yaml\n", "include_no_list", 3),
        (HEAD + "guardrails:\n  - {guardrail_name: 5, litellm_params: {}}\n", "section_shape", 4),
        (HEAD + "guardrails:\n  - guardrail_name:\n    litellm_params: {}\n", "no_value", 4),
        (
            HEAD + "litellm_settings:\n  default_team_settings:\n    - {team_id: 5}\n",
            "section_shape",
            5,
        ),
        (
            HEAD + "general_settings:\n  pass_through_endpoints:\n    - {target: x}\n",
            "section_shape",
            5,
        ),
        (HEAD + "general_settings:\n  litellm_jwtauth: text\n", "jwtauth", 4),
    ],
)
def test_a_trap_is_found_with_its_line_and_a_fix(text: str, code: str, line: int | None) -> None:
    findings = [finding for finding in found(text) if finding.code == code]
    assert findings, [finding.code for finding in found(text)]
    assert findings[0].where == ("config.yaml" if line is None else f"config.yaml:{line}")
    assert findings[0].fix
    assert findings[0].level is not Level.OK


@pytest.mark.parametrize(
    ("text", "site", "where", "name"),
    [
        ("general_settings: {database_url: 'mysql://h/d'}\n", {}, "config.yaml:3", "database_url"),
        (
            "environment_variables: {DATABASE_URL: 'mysql://h/d'}\n",
            {},
            "config.yaml:3",
            "DATABASE_URL",
        ),
        ("", {"DATABASE_URL": "mysql://h/d"}, "config.yaml", "The variable DATABASE_URL"),
    ],
)
def test_an_address_of_no_postgresql_is_told_where_it_stands(
    text: str, site: dict[str, str], where: str, name: str
) -> None:
    [finding] = found(HEAD + text, environ={**SET, **site})
    assert (finding.code, finding.where) == ("database", where)
    assert finding.what == f"{name} is no PostgreSQL (mysql): LiteLLM does not start."


def test_an_entry_that_a_newer_table_may_know_makes_no_error_of_its_alias() -> None:
    text = HEAD + "  - {model_name: b, litellm_params: {model: new-model-9}}\n"
    text += "router_settings: {model_group_alias: {best: b}}\n"
    [finding] = found(text)
    assert (finding.code, finding.level) == ("unknown_provider", Level.WARNING)


NUMBER = HEAD + "  - {model_name: 4.1, litellm_params: {model: openai/b}}\n"
MAPPING = HEAD + "%s: {fallbacks: {alpha: [alpha]}}\n"
ROUTING = HEAD + "router_settings: {routing_groups: %s}\n"
ARGUMENTS = (
    HEAD + "router_settings: {routing_strategy: latency-based-routing, routing_strategy_args: %s}\n"
)
GROUPS = HEAD.replace("5.5}}", "5.5}, model_info: {access_groups: 5}}")
TEN = HEAD.replace("5.5}", "5.5, max_parallel_requests: ten}")
LIST = ALIASES.replace("alias:\n", "alias: [a]\n")


@pytest.mark.parametrize(
    ("text", "release", "level", "ends"),
    [
        (NUMBER, "1.108.7", Level.ERROR, "LiteLLM does not start"),
        (NUMBER, "1.109.3", Level.ERROR, "LiteLLM does not start"),
        (NUMBER, "1.110.0", Level.OK, "before 1.110.0 LiteLLM does not start"),
        (NUMBER, "1.110.2.post1", Level.OK, "before 1.110.0 LiteLLM does not start"),
        (NUMBER, "2.0.0rc1", Level.OK, "before 1.110.0 LiteLLM does not start"),
        (NUMBER, None, Level.WARNING, "before 1.110.0 LiteLLM does not start"),
        (LIST, "1.109.3", Level.ERROR, "LiteLLM does not start"),
        (LIST, "1.110.2", Level.ERROR, "LiteLLM passes over it"),
        (
            LIST,
            None,
            Level.ERROR,
            "before 1.110.0 LiteLLM does not start, since then LiteLLM passes over it",
        ),
        (MAPPING % "router_settings", "1.110.2", Level.ERROR, "LiteLLM finds none"),
        (MAPPING % "litellm_settings", "1.110.2", Level.ERROR, "LiteLLM does not start"),
        (
            HEAD + "router_settings: {fallbacks: [alpha]}\n",
            "1.110.2",
            Level.ERROR,
            "LiteLLM does not start",
        ),
        (ROUTING % "nope", "1.109.3", Level.ERROR, "LiteLLM does not start"),
        (ROUTING % "nope", "1.110.2", Level.WARNING, "it has no effect"),
        (ROUTING % "[a]", "1.110.2", Level.ERROR, "LiteLLM does not start"),
        (ARGUMENTS % "text", "1.109.3", Level.ERROR, "LiteLLM does not start"),
        (ARGUMENTS % "text", "1.110.2", Level.WARNING, "it has no effect"),
        (ARGUMENTS % "{ttl: soon}", "1.110.2", Level.ERROR, "LiteLLM does not start"),
        (GROUPS, "1.108.7", Level.ERROR, "/v1/models fails for everybody"),
        (GROUPS, "1.110.2", Level.WARNING, "it has no effect"),
        (ALIASES + "    模型: alpha\n", "1.108.7", Level.ERROR, "every call fails"),
        (ALIASES + "    模型: alpha\n", "1.110.2", Level.OK, "before 1.109.0 every call fails"),
        (ALIASES + "    ' a': alpha\n", "1.110.2", Level.ERROR, "every call fails"),
        (TEN, "1.108.7", Level.ERROR, "it is listed, and every call fails"),
        (TEN, "1.110.2", Level.ERROR, "LiteLLM does not start"),
    ],
)
def test_what_litellm_does_otherwise_from_a_release_on_is_told_of_the_one_installed(
    text: str, release: str | None, level: Level, ends: str
) -> None:
    [finding] = found(text, release=release)
    assert finding.level is level
    assert finding.what.endswith(f": {ends}.")
    included = found("include: [i.yaml]\n", includes=(("i.yaml", text.encode()),), release=release)
    assert level in {one.level for one in included if one.what == finding.what}


@pytest.mark.parametrize(
    "text",
    [
        "litellm_settings: {guardrails: [{a: {}}]}",
        "litellm_settings: {key_alias_pattern: 5}",
        "litellm_settings: {budget_reset_time: 12:00}",
        "litellm_settings: {max_ui_session_budget: lots}",
        "litellm_settings: {cache: true, cache_params: {type: qdrant-semantic}}",
        "general_settings: {background_health_check_model_groups: nope}",
        "general_settings: {mcp_disabled_capabilities: [tools]}",
        "general_settings: {plugins: [a]}",
        "general_settings: {enforced_params: [user]}",
        "general_settings: {key_management_system: aws_kms}",
        "general_settings: {pass_through_endpoints: [{path: /a, headers: b}]}",
        "router_settings: {redis_url: 'localhost:6379'}",
        "router_settings: {routing_groups: [a]}",
        "router_settings: {provider_budget_config: {openai: {budget_limit: lots}}}",
        "agent_list: [a]",
        "assistant_settings: {litellm_params: }",
        "default_vertex_config: [a]",
        "mcp_servers: {one: {url: 'http://a', auth_type: password}}",
        "mcp_servers: {one: nope}",
        "policies: [a]",
        "prompts: [{prompt_id: a, litellm_params: {prompt_integration: langfuse}}]",
        "vector_store_registry: [{vector_store_name: a}]",
        "worker_registry: [{a: 1}]",
    ],
)
def test_a_setting_that_litellm_does_not_start_with(text: str) -> None:
    findings = [one for one in found(f"{HEAD}{text}\n") if one.level is Level.ERROR]
    assert [one.what.rpartition(": ")[2] for one in findings] == ["LiteLLM does not start."]
    assert findings[0].fix
    assert findings[0].where is not None


@pytest.mark.parametrize(
    "text",
    [
        "litellm_settings: {budget_reset_time: '12:00', key_alias_pattern: '^a'}",
        "litellm_settings: {default_team_settings: {}}",
        "litellm_settings: {cache_params: {type: qdrant-semantic}}",
        "general_settings: {alerting: slack, plugins: nope, search_tools: {}, allowed_ips: }",
        "general_settings: {pass_through_endpoints: {a: 1}}",
        "router_settings: {redis_url: 'redis://a', routing_groups: {}, retry_policy: nope}",
        "general_settings: {5: a}",
        "files_settings: [a]",
        "agents: {}",
        "guardrails: [{guardrail_name: a, litellm_params: {guardrail: lasso, api_key: b,"
        " mode: pre_call}}]",
        "policies: {}",
        "prompts: {}",
        "prompts: [{prompt_id: a, litellm_params: {prompt_integration: dotprompt}}]",
        "search_tools: [{a: 1}]",
        "worker_registry: []",
    ],
)
def test_a_setting_that_litellm_starts_with(text: str) -> None:
    assert found(f"{HEAD}{text}\n") == []


def test_a_licence_and_variables_may_be_in_the_environment() -> None:
    text = (
        HEAD + "general_settings: {allowed_ips: [a], key_management_system: aws_kms}\n"
        "guardrails: [{guardrail_name: a, litellm_params: {guardrail: aim,"
        " mode: pre_call}}]\n"
    )
    environ = {**SET, "LITELLM_LICENSE": "x", "AWS_REGION_NAME": "eu", "AIM_API_KEY": "k"}
    assert found(text, environ=environ) == []


def test_names_that_are_lists_are_faults_and_no_bug() -> None:
    """A list is no key of a table, and is where people indent too far."""
    text = (
        HEAD + "  - {model_name: [a], litellm_params: {model: openai/a}}\n"
        "  - model_name: r\n    litellm_params: {model: auto_router/adaptive_router,"
        " adaptive_router_config: {available_models: [[a], alpha]}}\n"
        "credential_list: [{credential_name: [a]}]\n"
        "litellm_settings: {custom_provider_map: [{provider: [a], custom_handler: b.c}]}\n"
        "router_settings: {routing_groups: [{group_name: [a]}], model_group_alias: {b: c}}\n"
        "guardrails: [{guardrail_name: [a], litellm_params: {guardrail: [a]}}]\n"
    ).replace("5.5}}", "5.5}, model_info: {adaptive_router_preferences: {strengths: 5}}}")
    codes = {one.code for one in found(text)}
    assert {"name_not_text", "auto_router", "credential_shape", "section_shape"} <= codes


@pytest.mark.parametrize("release", [None, "1.110.2"])
def test_an_alias_may_lead_to_a_model_whose_name_is_a_number(release: str | None) -> None:
    """Seen on 1.110.2, which serves it under its text; before, LiteLLM does not start."""
    alias = "router_settings: {model_group_alias: {best: '4.1'}, fallbacks: [{alpha: ['4.1']}]}\n"
    assert {one.code for one in found(NUMBER + alias, release=release)} == {"name_not_text"}


def test_an_unset_name_starts_where_an_unset_model_does_not() -> None:
    entry = "  - {model_name: os.environ/X, litellm_params: {model: os.environ/X}}\n"
    ends = [one.what.rpartition(": ")[2] for one in found(HEAD + entry, release="1.110.2")]
    assert ends == ["no call reaches the entry.", "LiteLLM does not start."]


def test_every_change_is_of_a_finding_that_says_what_litellm_does() -> None:
    """The words behind the last colon are what a change replaces."""
    home = Path(releases.__file__)
    sources = (path for path in home.parent.glob("*.py") if path != home)
    words = "".join(path.read_text(encoding="utf-8") for path in sources)
    assert all(f'"{code}"' in words for code, _ in releases.CHANGES)


def test_the_documents_table_of_changes_is_the_one_that_is_used() -> None:
    page = Path(__file__).parents[1] / "docs" / "LITELLM.md"
    assert litellm_matrix.changes() in page.read_text(encoding="utf-8")


def test_that_litellm_polls_an_address_is_told_and_nothing_wrong() -> None:
    [finding] = found(
        HEAD + "  - model_name: b\n    litellm_params:\n      model: openai/b\n"
        "      api_base: http://user:secret@vllm:8000/v1\n"
    )
    assert (finding.code, finding.level) == ("polled_api_base", Level.OK)
    assert finding.where == "config.yaml:6"
    assert "vllm" in finding.what
    assert "secret" not in finding.what


CREDENTIALS = HEAD + "".join(
    f"  - {{model_name: {name}, litellm_params:"
    f" {{model: {model}, litellm_credential_name: {credential}}}}}\n"
    for name, model, credential in (
        ("a", "nebius/a", "one"),
        ("b", "nebius/b", "one"),
        ("c", "openai/c", "one"),
        ("d", "ollama/d", "two"),
    )
)


def test_a_credential_that_is_nowhere_is_one_finding_for_all_that_name_it() -> None:
    """As bad as what becomes of the calls."""
    findings = found(CREDENTIALS)
    told = {(one.level, one.where, one.what.partition(", which")[0]) for one in findings}
    assert told == {
        (Level.ERROR, "config.yaml:3", "`a` and 1 more name the credential one"),
        (Level.WARNING, "config.yaml:5", "`c` names the credential one"),
        (Level.WARNING, "config.yaml:6", "`d` names the credential two"),
    }


@pytest.mark.parametrize("variable", ["NEBIUS_API_KEY", "TOGETHERAI_API_KEY"])
def test_a_key_of_any_provider_may_stand_in_its_usual_variable(variable: str) -> None:
    model = "together_ai/a" if variable.startswith("T") else "nebius/a"
    text = (
        HEAD + f"  - {{model_name: b, litellm_params: {{model: {model}, api_key: os.environ/X}}}}\n"
    )
    [finding] = found(text, environ={**SET, variable: "1"})
    assert finding.code == "variable_falls_back"
    assert variable in finding.what


class TestSections:
    """What LiteLLM does not read is told once, and not where it is meant to be there."""

    @staticmethod
    def told(text: str) -> list[tuple[str, str]]:
        codes = ("unknown_section", "misplaced_key")
        return [(one.what, one.fix) for one in found(text) if one.code in codes]

    def test_several_are_one_finding(self) -> None:
        [(what, _)] = self.told(HEAD + "".join(f"part_{n}: {{}}\n" for n in "abcde"))
        assert "sections `part_a`, `part_b`, `part_c` and 2 more and ignores them" in what

    @pytest.mark.parametrize(
        ("key", "says"),
        [
            ("environment", "Did you mean 'environment_variables'?"),
            ("litellm_setings", "Did you mean 'litellm_settings'?"),
            ("cache_params", "Move it below `litellm_settings:`."),
            ("enable_pre_call_checks", "Move it below `router_settings:`."),
            ("store_model_in_db", "Move it below `general_settings:`."),
        ],
    )
    def test_what_is_misspelled_or_misplaced_is_told_where_it_belongs(
        self, key: str, says: str
    ) -> None:
        assert [fix for _, fix in self.told(f"{HEAD}{key}: {{}}\n")] == [says]

    @pytest.mark.parametrize("use", ["<<: *keys", "extra_body: *keys"])
    def test_a_section_that_holds_an_anchor_of_others_is_meant(self, use: str) -> None:
        text = (
            "shared: &keys {api_key: os.environ/OPENAI_API_KEY}\nmodel_list:\n  - model_name: a\n"
        )
        assert self.told(f"{text}    litellm_params: {{model: openai/a, {use}}}\n") == []

    def test_a_file_that_is_none_of_litellms_is_not_gone_through(self) -> None:
        assert self.told("image: x\nresources: {}\nlitellmConfig: {}\n") == []


@pytest.mark.parametrize(
    ("name", "model", "settings", "told"),
    [
        ("openai/*", "openai/*", "", True),
        ("'*'", "openai/*", "", True),
        ("'*'", "openrouter/openrouter/auto", "", False),
        ("claude-opus-*", "anthropic/glm-5.1", "", False),
        ("openai/*", "openai/*", "litellm_settings: {check_provider_endpoint: true}\n", False),
    ],
)
def test_a_wildcard_is_told_where_litellm_expands_it_from_its_table(
    name: str, model: str, settings: str, *, told: bool
) -> None:
    rows = f"  - {{model_name: {name}, litellm_params: {{model: {model}}}}}\n" * 2
    findings = [one for one in found(HEAD + rows + settings) if one.code == "wildcard"]
    assert [one.where for one in findings] == ["config.yaml:3"] * told


def test_a_missing_included_file_is_named() -> None:
    [finding] = found(HEAD + "include: [gone.yaml]\n", missing_includes=("gone.yaml",))
    assert (finding.code, finding.where) == ("include_missing", "config.yaml:3")
    assert "gone.yaml" in finding.what


def test_an_included_file_that_replaces_a_section_is_said() -> None:
    text = ALIASES + "    best: alpha\ninclude: [more.yaml]\n"
    more = b"router_settings: {num_retries: 1}\nmodel_list: []\n"
    [finding] = found(text, includes=(("more.yaml", more),))
    assert (finding.code, finding.where) == ("include_replaces", "config.yaml:3")
    assert "router_settings" in finding.what


def test_models_of_an_included_file_count() -> None:
    text = "router_settings:\n  model_group_alias: {best: alpha}\ninclude: [more.yaml]\n"
    assert found(text, includes=(("more.yaml", HEAD.encode()),)) == []


@pytest.mark.parametrize("trap", INCLUDED)
def test_every_trap_is_looked_for_in_included_files_and_told_with_their_line(trap: str) -> None:
    code, text = INCLUDED[trap]
    more = "# mine\n" + text
    findings = found(
        HEAD + "include: [sub/more.yaml]\n", includes=(("sub/more.yaml", more.encode()),)
    )
    name, _, line = next(one.where or "" for one in findings if one.code == code).partition(":")
    assert name == "sub/more.yaml"
    assert 2 <= int(line) <= more.count("\n")


def test_a_nested_include_that_is_missing_is_told_where_it_is_named() -> None:
    more = b"model_list: []\ninclude: [gone.yaml]\n"
    [finding] = found(
        HEAD + "include: [more.yaml]\n",
        includes=(("more.yaml", more),),
        missing_includes=("gone.yaml",),
    )
    assert (finding.code, finding.where) == ("include_missing", "more.yaml:2")


def test_an_item_of_a_list_that_adds_up_is_told_in_its_own_file() -> None:
    row = "guardrails:\n  - {guardrail_name: a, litellm_params: {}}\n"
    [finding] = found(
        HEAD + row + "include: [more.yaml]\n",
        includes=(("more.yaml", row.encode() + b"  - {litellm_params: {}}\n"),),
    )
    assert (finding.code, finding.where) == ("section_shape", "more.yaml:3")


@pytest.mark.parametrize(
    ("section", "level"),
    [
        ("router_settings: {model_group_alias: {best: alpha}}", Level.ERROR),
        ("router_settings: {fallbacks: [{alpha: [alpha]}]}", Level.ERROR),
        ("router_settings: {num_retries: 2}", Level.WARNING),
        ("router_settings: {routing_strategy: simple-shuffle}", None),
    ],
)
def test_what_a_replaced_section_loses_tells_how_bad_it_is(
    section: str, level: Level | None
) -> None:
    more = b"router_settings: {routing_strategy: simple-shuffle, num_retries: 1}\n"
    findings = found(f"{HEAD}{section}\ninclude: [m.yaml]\n", includes=(("m.yaml", more),))
    told = [(one.level, one.where) for one in findings if one.code == "include_replaces"]
    assert told == ([(level, "config.yaml:3")] if level else [])


def test_what_no_longer_counts_is_not_judged() -> None:
    text = HEAD + "litellm_settings: {callbacks: os.environ/GONE}\ninclude: [m.yaml]\n"
    assert {one.code for one in found(text, includes=(("m.yaml", b"litellm_settings: {}\n"),))} == {
        "include_replaces"
    }


class TestWhatIsNoTrap:
    @pytest.mark.parametrize(
        "rest",
        [
            "environment_variables: {OPENAI_API_KEY: x}\n",
            "general_settings: {key_management_system: aws_secret_manager}\n",
        ],
    )
    def test_a_variable_that_litellm_gets_elsewhere(self, rest: str) -> None:
        entry = (
            "  - model_name: b\n    litellm_params:"
            " {model: openai/b, api_key: os.environ/OPENAI_API_KEY}\n"
        )
        assert found(HEAD + entry + rest, environ={}) == []

    def test_an_alias_that_a_wildcard_serves(self) -> None:
        entry = "  - {model_name: xai/*, litellm_params: {model: xai/*}}\n"
        text = HEAD + entry + "router_settings: {model_group_alias: {g: xai/grok-4.6}}\n"
        assert {finding.code for finding in found(text)} == {"wildcard"}

    def test_default_fallbacks_in_either_section(self) -> None:
        for section in ("router_settings", "litellm_settings"):
            assert found(HEAD + f"{section}: {{default_fallbacks: [alpha]}}\n") == []

    def test_polling_that_is_switched_off(self) -> None:
        entry = "  - {model_name: b, litellm_params: {model: openai/b, api_base: http://h}}\n"
        rest = "general_settings: {disable_model_info_refresh: true}\n"
        assert found(HEAD + entry + rest) == []

    def test_a_placeholder_key_of_a_local_server(self) -> None:
        entry = "  - {model_name: b, litellm_params: {model: ollama/b, api_key: sk-none}}\n"
        assert found(HEAD + entry) == []

    def test_a_merged_anchor(self) -> None:
        text = (
            "x-base: &base {api_key: os.environ/OPENAI_API_KEY}\nmodel_list:\n"
            "  - {model_name: a, litellm_params: {<<: *base, model: openai/b}}\n"
            "  - {model_name: c, litellm_params: {<<: *base, model: openai/d}}\n"
        )
        assert found(text) == []


def test_a_variable_is_named_once_for_all_its_entries() -> None:
    entry = "  - {model_name: m%d, litellm_params: {model: openai/b, api_key: os.environ/GONE}}\n"
    [finding] = found("model_list:\n" + "".join(entry % number for number in range(300)))
    assert "GONE is not set, and `m0` and 299 more need it" in finding.what


def test_many_of_a_kind_are_counted_not_listed() -> None:
    text = ALIASES + "".join(f"    a{number}: gone\n" for number in range(300))
    findings = found(text)
    assert len(findings) == 10
    assert "and 290 more like it" in findings[-1].what


def test_at_most_leaves_a_full_list_alone() -> None:
    findings = [Finding(Level.ERROR, "a", str(number)) for number in range(10)]
    assert at_most(findings) == tuple(findings)


def test_no_key_is_ever_shown() -> None:
    text = (
        f"model_list:\n  - {{model_name: b, litellm_params: {{model: openai/b, api_key: {KEY},"
        f" api_base: 'http://u:{KEY}@h/v1?key={KEY}', input_cost_per_token: {KEY}}}}}\n"
        f"general_settings: {{master_key: {KEY}}}\n"
    )
    findings = found(text)
    assert {finding.code for finding in findings} >= {"plain_key", "polled_api_base"}
    assert KEY not in repr(findings)
    broken = found(f"model_list: [{KEY}\nmaster_key: '{KEY}")
    assert broken[0].code == "does_not_load"
    assert KEY not in repr(broken)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["alpha", "a*", "", "os.environ/X", "on", "~", "\u00e9\x1b", "- a"])
)
names = st.sampled_from(
    [
        "model_list",
        "model_name",
        "litellm_params",
        "model",
        "model_info",
        "api_base",
        "api_key",
        "hidden",
        "fallbacks",
        "model_group_alias",
        "router_settings",
        "litellm_settings",
        "general_settings",
        "include",
        "master_key",
        "input_cost_per_token",
        "routing_groups",
        "group_name",
        "id",
        "default_fallbacks",
    ]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | scalars, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(names, values, max_size=6))
def test_whatever_the_data_nothing_breaks_and_every_line_exists(data: dict[str, Any]) -> None:
    raw = yaml.safe_dump(data, allow_unicode=True).encode()
    for finding in find_traps(CheckedConfig("c", raw, {}, includes=(("c", raw),))):
        assert finding.fix
        name, _, line = (finding.where or "").partition(":")
        assert name == "c"
        assert not line or 1 <= int(line) <= raw.count(b"\n") + 1


@settings(max_examples=100, deadline=None)
@given(st.text("model_list:- \n\t{}[]&*!|>'\"%@`\u00e4\ufeff", max_size=60))
def test_whatever_the_text_nothing_breaks(content: str) -> None:
    find_traps(CheckedConfig("c", content.encode()))


@pytest.mark.parametrize(
    "raw", [b"\xff\xfea\x00", b"a: \x00", b"a: \x1b[31m", b"\xef\xbb\xbf", b"a\r"]
)
def test_bytes_that_are_no_yaml_are_one_finding(raw: bytes) -> None:
    [finding] = find_traps(CheckedConfig("c", raw))
    assert finding.code in ("does_not_load", "empty", "no_mapping")


def test_real_configs_are_examined_without_a_hitch() -> None:
    corpus = Path(
        os.environ.get("ROLLCALL_CORPUS") or Path(__file__).resolve().parents[2] / "shared"
    )
    paths = sorted((corpus / "configs").glob("*.yaml"))
    if not paths:
        pytest.skip("the corpus of real configs is not here")
    for path in paths:
        findings = find_traps(CheckedConfig(path.name, path.read_bytes()))
        assert all(finding.fix and finding.where for finding in findings), path.name


@pytest.mark.parametrize(
    ("named", "fix"),
    [
        ("hooks.trace.handler", "Put hooks/trace.py beside config.yaml."),
        ("/app/hooks/trace.handler", "Put trace.py into /app/hooks."),
        ("hooks/trace.handler", "Put hooks/trace.py beside config.yaml."),
        ("[hooks]*.handler", "Put [hooks]*.py beside config.yaml."),
    ],
)
def test_a_callback_may_be_named_by_its_path(tmp_path: Path, named: str, fix: str) -> None:
    """LiteLLM joins the parts to a file; Python itself imports no path."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "other.py").touch()
    text = f"{HEAD}litellm_settings: {{callbacks: ['{named}']}}\n"
    [finding] = found(text, folder=tmp_path, import_folders=(tmp_path / "site",))
    assert finding.what == f"{named} is not there: LiteLLM does not start."
    if os.name != "nt":
        assert finding.fix == fix


def test_a_callback_named_by_the_path_of_a_file_that_is_there_is_well(tmp_path: Path) -> None:
    (tmp_path / "trace.py").write_text("handler = 1\n", encoding="utf-8", newline="\n")
    text = f"{HEAD}litellm_settings: {{callbacks: ['{(tmp_path / 'trace').as_posix()}.handler']}}\n"
    if "." not in tmp_path.as_posix():  # a dot in a folder's name would part it
        assert found(text, folder=tmp_path / "conf", import_folders=(tmp_path,)) == []


@pytest.mark.parametrize(
    ("webhook", "codes"),
    [
        ("[os.environ/OPENAI_API_KEY, os.environ/XAI_API_KEY]", []),
        ("os.environ/OPENAI_API_KEY", []),
        ("[os.environ/NOWHERE]", ["variable_no_start"]),
        ("os.environ/NOWHERE", ["variable_no_start"]),
        ("", ["no_value"]),
    ],
)
def test_webhooks_are_looked_up_in_lists_too(webhook: str, codes: list[str]) -> None:
    """Seen on 1.108.7: what is not set ends the start, but only where something alerts."""
    text = f"{HEAD}general_settings:\n  alert_to_webhook_url: {{budget_alerts: {webhook}}}\n"
    assert [one.code for one in found(text + "  alerting: [slack]\n")] == codes
    idle = [one.code for one in found(text)]
    assert idle == [code.replace("no_start", "ignored") for code in codes if code != "no_value"]


@pytest.mark.parametrize("name", ["OLLAMA_HOST/v1", "LOGIN:os.environ/PASSWORD", "KEY:-none"])
def test_what_no_variable_can_be_called_is_not_told_to_be_set(name: str) -> None:
    entry = (
        f"  - {{model_name: b, litellm_params: {{model: openai/b, api_base: os.environ/{name}}}}}"
    )
    [finding] = found(f"{HEAD}{entry}\n")
    assert finding.what.startswith(f"{name!r} is no variable's name, and `b` needs it as api_base")
    assert finding.fix == "Write os.environ/NAME and nothing else; NAME holds the whole value."


def test_an_environment_that_is_not_set_is_to_be_set() -> None:
    text = HEAD.replace("5.5}}", "5.5}, model_info: {supported_environments: [production]}}")
    [finding] = found(text)
    assert finding.fix == "Set LITELLM_ENVIRONMENT to one of development, staging, production."


@pytest.mark.parametrize(
    "model",
    [
        "dall-e-3",
        "claude-opus-4-20250514",
        "claude-newfamily-7",
        "eu.anthropic.claude-newfamily-7-v1:0",
        "amazon_nova_new",
    ],
)
def test_a_bare_model_that_litellm_tells_by_a_rule_is_not_dropped(model: str) -> None:
    """It knows some models that its table of prices does not have."""
    params = f"{{model: '{model}', api_key: os.environ/XAI_API_KEY}}"
    assert found(f"{HEAD}  - {{model_name: b, litellm_params: {params}}}\n") == []


@pytest.mark.parametrize(
    ("params", "codes"),
    [
        ("{ttl: 60}", []),
        ("{mode: default_off}", []),
        ("{type: redis, service_name: a, sentinel_nodes: [[localhost, 26379]]}", []),
        ("{type: redis, ttl: 60}", ["cache_without_redis"]),
        (
            "{type: redis-semantic, similarity_threshold: 0.8, sentinel_nodes: [[a, 1]]}",
            ["cache_without_redis"],
        ),
        ("{}", ["cache_without_redis"]),
    ],
)
def test_settings_of_a_cache_without_a_type_are_those_of_a_local_one(
    params: str, codes: list[str]
) -> None:
    text = f"{HEAD}litellm_settings: {{cache: true, cache_params: {params}}}\n"
    assert [one.code for one in found(text)] == codes


GUARD = HEAD + "guardrails: [{guardrail_name: g, litellm_params: {%s}}]\n"


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ("guardrail: aim", "has no mode"),
        ("guardrail: aim, mode: ", "has no mode"),
        ("mode: pre_call", "has no `guardrail:` of its own"),
        (
            "guardrail: presidoi, mode: pre_call",
            "is a 'presidoi', which LiteLLM 1.108.7 does not know",
        ),
        ("guardrail: bedrock, mode: sometimes", "has the mode 'sometimes'"),
        ("guardrail: bedrock, mode: [pre_call, nope]", "has the mode 'nope'"),
        ("guardrail: enkryptai, mode: pre_call", "needs ENKRYPTAI_API_KEY"),
        ("guardrail: azure/prompt_shield, mode: pre_call, api_key: a", "needs api_base"),
    ],
)
def test_a_guardrail_that_litellm_starts_without_is_told(params: str, problem: str) -> None:
    """Seen on 1.108.7: "proxy is starting WITHOUT this guardrail", an error in its log."""
    [finding] = found(GUARD % params)
    assert (finding.code, finding.level) == ("guardrail_skipped", Level.ERROR)
    end = "LiteLLM starts without it, and nothing guards."
    assert finding.what == f"The guardrail g {problem}: {end}"


@pytest.mark.parametrize(
    "params",
    [
        "guardrail: bedrock, mode: [pre_call, post_call]",
        "guardrail: bedrock, mode: {tags: {a: pre_call}, default: post_call}",
        "guardrail: own.Guard, mode: pre_call",
        "guardrail: openai_moderation, mode: during_call",
    ],
)
def test_a_guardrail_that_litellm_takes_is_not(params: str) -> None:
    assert found(GUARD % params) == []


@pytest.mark.parametrize(
    "text",
    [
        "litellm_settings: {tag_budget_config: {a: {max_budget: 1, budget_duration: 1d}}}",
        "general_settings: {key_management_system: google_secret_manager}",
    ],
)
def test_what_wants_a_licence_is_told_without_one(text: str) -> None:
    [finding] = found(f"{HEAD}{text}\n")
    assert finding.code == "licence"
    assert finding.what.endswith("is for LiteLLM Enterprise: LiteLLM does not start.")
    assert found(f"{HEAD}{text}\n", environ={**SET, "LITELLM_LICENSE": "x"}) == []


def test_in_a_file_that_is_none_of_litellms_nothing_is_looked_for() -> None:
    """A compose file names its variables as it likes."""
    text = "services:\n  litellm:\n    environment: {OPENAI_API_KEY: '${OPENAI_API_KEY}'}\n"
    [finding] = found(text)
    assert finding.code == "no_models"
    assert finding.fix == "Point --config at the file that holds model_list."


def test_a_package_that_several_lists_need_is_told_once(tmp_path: Path) -> None:
    text = HEAD + "litellm_settings: {success_callback: [langfuse], failure_callback: [langfuse]}\n"
    [finding] = found(text, import_folders=(tmp_path,))
    assert (finding.code, finding.fix) == (
        "package_missing",
        "Install it beside LiteLLM: pip install langfuse",
    )


def test_each_variable_a_key_may_be_in_is_named() -> None:
    """Of Mistral LiteLLM reads the one for Azure first, which hardly anybody has."""
    [finding] = found(HEAD + "  - {model_name: m, litellm_params: {model: mistral/small}}\n")
    assert "none of MISTRAL_AZURE_API_KEY, MISTRAL_API_KEY is set" in finding.what
    assert finding.fix.startswith("Set MISTRAL_AZURE_API_KEY or MISTRAL_API_KEY in")


@pytest.mark.parametrize("key", [KEY, "nvapi-abcdefghij1234567890ABCD", "d41d8cd98f00b204e9800998"])
def test_a_key_pasted_behind_the_reference_is_not_shown(key: str) -> None:
    text = (
        "model_list:\n- model_name: a\n"
        f"  litellm_params: {{model: openai/b, api_key: os.environ/{key}}}\n"
        f"general_settings: {{allowed_origins: [os.environ/{key}]}}\n"
    )
    findings = found(text, environ={})
    assert not [one for one in findings if key in f"{one.what} {one.fix} {one.where}"]
    assert "What stands behind os.environ/ is no variable's name but a key, it seems," in (
        " ".join(one.what for one in findings)
    )
