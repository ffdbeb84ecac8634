"""policy.yaml: what loads, and the two lines a mistake gets."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.errors import PolicyError
from rollcall.policy.conditions import Condition
from rollcall.policy.file import default_policy, load_policy
from rollcall.policy.json_schema import json_schema
from rollcall.selection import admission, aliases
from rollcall.selection.choosing import Candidate, Pool
from rollcall.selection.rule import RuleContext
from tests.policy_making import TODAY, load, model

ROOT = Path(__file__).resolve().parents[1]

EVERYTHING = """\
version: 1
defaults: {timeout: 2s, deadline: 500ms, ttl: 10m, stale_after: 7d}
providers:
  anthropic: {}
  xai: {timeout: 4s}
  openrouter:
  my-vllm:
    type: openai
    base_url: http://127.0.0.1:8000/v1
    key_env: null
    litellm_prefix: hosted_vllm
    empty: ok
  second: {type: openrouter, key_env: [SECOND_KEY, OR_KEY]}
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 2, name: "{id}"}
  - match: ["deepseek/*", "qwen/*"]
    from: openrouter
    where: {tools: true, context: ">= 100000", input_price: "<= 1.00", released_after: 2026-01-01}
    assume: {tools: true, max_output: 8192}
    stage: any
    newest: 1
    max: 8
    max_age: 365d
    params: {timeout: 60, api_key: os.environ/TEAM_KEY}
    model_info: {access_groups: [team-a]}
deny: ["*:free", "*:batch"]
aliases:
  default: openrouter/qwen/qwen3-max
  reasoning: {first_of: [{family: claude-opus}, openrouter/deepseek/deepseek-r1]}
  cheap: {cheapest: {tools: true, free: true}, fallbacks: default, hidden: true}
  long: {largest_context: {}, from: [openrouter]}
guards: {max_models: 100, max_withdrawn: 25%, price_rise: 150%, min_age: 0d}
grace: {vanished: 3d, superseded: 2w}
accept: []
naming: "{provider}-{id:dashed}"
model_list: replace
missing_key: drop
"""


def error_of(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        load_policy(text, "policy.yaml")
    assert caught.value.what.count("\n") == 0
    assert caught.value.hint, "every mistake says what to do"
    assert caught.value.hint.count("\n") == 0
    return caught.value


def test_every_field_loads() -> None:
    loaded = load_policy(EVERYTHING, "policy.yaml")
    assert (loaded.defaults.timeout, loaded.defaults.deadline) == (2.0, 0.5)
    assert (loaded.defaults.ttl, loaded.defaults.stale_after) == (600.0, 604_800.0)
    assert loaded.providers["xai"].timeout == 4.0
    assert loaded.providers["my-vllm"].key_env is None
    assert loaded.providers["second"].key_env == ("SECOND_KEY", "OR_KEY")
    first, second = loaded.allow
    assert (first.family, first.from_, first.newest, first.stage) == (
        ("claude-sonnet",),
        ("anthropic",),
        2,
        "stable",
    )
    assert second.from_ == ("openrouter",)
    assert second.max_age == 365
    assert second.where is not None
    assert second.where.context == Condition(">=", Decimal(100000))
    assert second.where.input_price == Condition("<=", Decimal("1.00"))
    assert loaded.aliases is not None
    assert loaded.aliases["default"].model == "openrouter/qwen/qwen3-max"
    assert loaded.aliases["reasoning"].first_of[1].model == "openrouter/deepseek/deepseek-r1"
    assert loaded.aliases["cheap"].fallbacks == ("default",)
    assert loaded.guards.max_withdrawn == 0.25
    assert loaded.guards.price_rise == 1.5
    assert (loaded.grace.vanished, loaded.grace.superseded) == (3, 14)


def test_a_short_policy_has_the_defaults_the_contract_names() -> None:
    loaded = load_policy("providers: {openrouter: {}}\n", "policy.yaml")
    assert (loaded.defaults.timeout, loaded.defaults.deadline, loaded.defaults.ttl) == (2, 5, 600)
    assert (loaded.guards.max_models, loaded.guards.max_withdrawn) == (100, 0.25)
    assert (loaded.guards.price_rise, loaded.guards.min_age) == (0.5, 0)
    assert (loaded.grace.vanished, loaded.grace.superseded) == (3, 14)
    assert (loaded.naming, loaded.model_list, loaded.missing_key) == (
        "{provider}/{id}",
        "keep",
        "keep",
    )
    assert loaded.aliases is None, "no aliases: the default set is derived"
    assert load_policy("providers: {openrouter: {}}\naliases: {}\n", "p").aliases == {}


def test_a_file_with_bom_and_windows_line_ends_loads() -> None:
    text = "\ufeff" + EVERYTHING.replace("\n", "\r\n")
    assert load_policy(text, "policy.yaml") == load_policy(EVERYTHING, "policy.yaml")


def test_a_loaded_policy_can_be_written_as_json_without_a_warning() -> None:
    dumped = load_policy(EVERYTHING, "policy.yaml").model_dump(mode="json", by_alias=True)
    assert dumped["allow"][1]["where"]["context"] == ">= 100000"


MISTAKES = {
    "unknown field of a rule": (
        "providers: {openrouter: {}}\nallow:\n  - {match: a}\n  - match: b\n    newst: 1\n",
        "policy.yaml:5: allow[2].newst: unknown field.",
        "Did you mean 'newest'?",
    ),
    "required field that is misspelled": (
        "version: 1\nprovidres: {openrouter: {}}\n",
        "policy.yaml:2: providres: unknown field.",
        "Did you mean 'providers'?",
    ),
    "unknown field at the top": (
        "providers: {openrouter: {}}\nalow: []\n",
        "policy.yaml:2: alow: unknown field.",
        "Did you mean 'allow'?",
    ),
    "unknown field of a condition": (
        "providers: {openrouter: {}}\nallow:\n- match: a\n  where:\n    tool: true\n",
        "policy.yaml:5: allow[1].where.tool: unknown field.",
        "Did you mean 'tools'?",
    ),
    "unknown field of an alias's choice": (
        "providers: {openrouter: {}}\naliases:\n  x:\n    first_of:\n    - {famly: gpt}\n",
        "policy.yaml:5: aliases.x.first_of[1].famly: unknown field.",
        "Did you mean 'family'?",
    ),
    "unknown field of a provider": (
        "providers:\n  openrouter: {}\n  xai:\n    time_out: 2s\n",
        "policy.yaml:4: providers.xai.time_out: unknown field.",
        "Did you mean 'timeout'?",
    ),
    "unknown provider": (
        "providers:\n  openruter: {}\n",
        "policy.yaml:2: providers.openruter: 'openruter' is not a built-in provider and has no "
        "type.",
        "Did you mean 'openrouter'?",
    ),
    "provider of one's own without a type": (
        "providers:\n  home: {base_url: http://127.0.0.1:1/v1}\n",
        "policy.yaml:2: providers.home: 'home' is not a built-in provider and has no type.",
        "Give it a type, for example `type: openai`, and its base_url.",
    ),
    "unknown type": (
        "providers:\n  home: {type: opnai, base_url: http://127.0.0.1:1/v1}\n",
        "policy.yaml:2: providers.home.type: unknown type 'opnai'.",
        "Did you mean 'openai'?",
    ),
    "type openai without an address": (
        "providers:\n  home: {type: openai}\n",
        "policy.yaml:2: providers.home: type openai needs a base_url.",
        "For example `base_url: http://127.0.0.1:8000/v1`.",
    ),
    "address that is none": (
        "providers:\n  home: {type: openai, base_url: localhost}\n",
        "policy.yaml:2: providers.home.base_url: is not a web address.",
        "It begins with http://",
    ),
    "from a provider nobody asks": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, from: [openruter]}\n",
        "policy.yaml:3: allow[1].from: 'openruter' is not among the providers.",
        "Did you mean 'openrouter'?",
    ),
    "alias from a provider nobody asks": (
        "providers: {openrouter: {}}\naliases:\n  x:\n    family: gpt\n    from: openai\n",
        "policy.yaml:5: aliases.x.from: 'openai' is not among the providers.",
        "Add it under providers, or use: openrouter.",
    ),
    "rule that names nothing": (
        "providers: {openrouter: {}}\nallow:\n- {newest: 1}\n",
        "policy.yaml:3: allow[1]: names neither `family` nor `match`",
        "rollcall schema",
    ),
    "alias that picks nothing": (
        "providers: {openrouter: {}}\naliases:\n  x: {hidden: true}\n",
        "policy.yaml:3: aliases.x: says nothing to pick",
        "rollcall schema",
    ),
    "alias that picks twice": (
        "providers: {openrouter: {}}\naliases:\n  x: {cheapest: {}, first_of: [{family: gpt}]}\n",
        "policy.yaml:3: aliases.x: picks in two ways, cheapest and first_of",
        "rollcall schema",
    ),
    "alias to an alias": (
        "providers: {openrouter: {}}\naliases:\n  x: {family: gpt}\n  y: x\n",
        "policy.yaml:4: aliases.y: points at the alias 'x'.",
        "LiteLLM follows one step only",
    ),
    "alias with the name a rule gives": (
        "providers: {openrouter: {}}\nallow:\n- {match: a}\n- {match: b, name: x}\naliases:\n"
        "  y: openrouter/a\n  x: openrouter/a\n",
        "policy.yaml:7: aliases.x: rule 2 gives a model that name, and nobody could reach it any "
        "more.",
        "Rename the alias, or give rule 2 another `name`.",
    ),
    "alias with the name all rules give": (
        "providers: {openrouter: {}}\nnaming: x\nallow: [{match: a}]\naliases: {x: {family: a}}\n",
        "policy.yaml:4: aliases.x: rule 1 gives a model that name, and nobody could reach it any "
        "more.",
        "Rename the alias, or give rule 1 another `name`.",
    ),
    "alias that falls back to itself": (
        "providers: {openrouter: {}}\naliases:\n  x: {family: gpt, fallbacks: [x]}\n",
        "policy.yaml:3: aliases.x.fallbacks: falls back to itself.",
        "Name another alias or model.",
    ),
    "wildcard as an alias": (
        "providers: {openrouter: {}}\naliases:\n  'gpt*': {family: gpt}\n",
        "policy.yaml:3: aliases.gpt*: not a name for an alias.",
        "wildcard",
    ),
    "wrong version": (
        "version: 2\nproviders: {openrouter: {}}\n",
        "policy.yaml:1: version: 2 is not one of: 1.",
        "",
    ),
    "no providers": ("version: 1\n", "policy.yaml:1: providers: is required.", "rollcall init"),
    "nobody to ask": (
        "version: 1\nproviders: {}\n",
        "policy.yaml:2: providers: nobody is to be asked.",
        "openrouter: {}",
    ),
    "list where a mapping belongs": (
        "providers: [openrouter]\n",
        "policy.yaml:1: providers: expected `name: value` lines, not a list.",
        "",
    ),
    "number where text belongs": (
        "providers: {openrouter: {}}\nallow:\n- match: [4.1]\n",
        "policy.yaml:3: allow[1].match: expected text, not 4.1: put it in quotes.",
        "",
    ),
    "nothing where a list belongs": (
        "providers: {openrouter: {}}\nallow:\n",
        "policy.yaml:2: allow: expected a list, not nothing.",
        "",
    ),
    "word of YAML 1.1 as a name": (
        "providers: {openrouter: {}}\naliases:\n  on: {family: gpt}\n",
        "policy.yaml:3: the name 'on' is not text to YAML.",
        "Put it in quotes.",
    ),
    "duration that is none": (
        "defaults: {timeout: soon}\nproviders: {openrouter: {}}\n",
        "policy.yaml:1: defaults.timeout: 'soon' is not a duration such as 2s",
        "",
    ),
    "days without a unit": (
        "providers: {openrouter: {}}\ngrace:\n  vanished: 3\n",
        "policy.yaml:3: grace.vanished: expected whole days such as 3d or 2w, not 3.",
        "",
    ),
    "share that could mean two things": (
        "providers: {openrouter: {}}\nguards: {max_withdrawn: 25}\n",
        "policy.yaml:2: guards.max_withdrawn: expected a share such as 25%, not 25.",
        "",
    ),
    "comparison that is none": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, where: {context: large}}\n",
        'policy.yaml:3: allow[1].where.context: expected a comparison such as ">= 100"',
        "",
    ),
    "stage that is none": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, stage: stabel}\n",
        "policy.yaml:3: allow[1].stage: 'stabel' is not one of: stable, preview or any.",
        "Did you mean 'stable'?",
    ),
    "newest zero": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, newest: 0}\n",
        "policy.yaml:3: allow[1].newest: input should be greater than or equal to 1.",
        "",
    ),
    "fact that cannot be assumed": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, assume: {input_price: 1}}\n",
        "policy.yaml:3: allow[1].assume: 'input_price' cannot be assumed",
        "",
    ),
    "name with an unknown field": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, name: '{idd}'}\n",
        "policy.yaml:3: allow[1].name: {idd} is not a field of a name.",
        "Did you mean 'id'?",
    ),
    "naming with an open brace": (
        "providers: {openrouter: {}}\nnaming: '{id'\n",
        "policy.yaml:2: naming: a brace is not closed.",
        "Fields: provider, id",
    ),
    "naming in an unknown form": (
        "providers: {openrouter: {}}\nnaming: '{id:upper}'\n",
        "policy.yaml:2: naming: {id:upper} is not a form",
        "",
    ),
    "naming that is a wildcard": (
        "providers: {openrouter: {}}\nnaming: 'x/*'\n",
        "policy.yaml:2: naming: a name with * would be a wildcard to LiteLLM.",
        "",
    ),
    "model set in params": (
        "providers: {openrouter: {}}\nallow:\n- match: a\n  params:\n    model: gpt-4\n",
        "policy.yaml:5: allow[1].params.model: the model comes from the provider's list.",
        "",
    ),
    "our own field set": (
        "providers: {openrouter: {}}\nallow:\n- match: a\n  model_info: {managed_by: me}\n",
        "policy.yaml:4: allow[1].model_info.managed_by: is written by rollcall.",
        "",
    ),
    "value that is not plain": (
        "providers: {openrouter: {}}\nallow:\n- match: a\n  params: {x: [2026-01-01]}\n",
        "policy.yaml:4: allow[1].params.x[1]: datetime.date(2026, 1, 1) is not a plain value.",
        "Put it in quotes.",
    ),
    "number that is none": (
        "providers: {openrouter: {}}\nallow:\n- match: a\n  model_info: {x: .nan}\n",
        "policy.yaml:4: allow[1].model_info.x: nan is not a plain value.",
        "Put it in quotes.",
    ),
    "params that refer to themselves": (
        "providers: {openrouter: {}}\nallow:\n- match: a\n  params: &p {a: *p, b: *p}\n",
        "policy.yaml:4: it is nested too deeply: an alias leads back to itself.",
        "Write out what is needed.",
    ),
    "no time": (
        "providers: {openrouter: {timeout: 0s}}\n",
        "policy.yaml:1: providers.openrouter.timeout: leaves no time to answer.",
        "Write 2s.",
    ),
    "duration that is a list": (
        "defaults: {ttl: [1s]}\nproviders: {openrouter: {}}\n",
        "policy.yaml:1: defaults.ttl: expected a duration such as 2s, 500ms, 10m or 7d, not a list",
        "",
    ),
    "half a day": (
        "providers: {openrouter: {}}\nguards: {min_age: 12h}\n",
        "policy.yaml:2: guards.min_age: expected whole days such as 3d or 2w, not '12h'.",
        "",
    ),
    "share that is none": (
        "providers: {openrouter: {}}\nguards: {price_rise: much}\n",
        "policy.yaml:2: guards.price_rise: expected a share such as 25%, not 'much'.",
        "",
    ),
    "pattern of nothing": (
        "providers: {openrouter: {}}\ndeny: [a, '']\n",
        "policy.yaml:2: deny: an empty text names nothing.",
        "",
    ),
    "mapping where a list belongs": (
        "providers: {openrouter: {}}\ndeny: {a: b}\n",
        "policy.yaml:2: deny: expected text or a list of texts, not a mapping.",
        "",
    ),
    "day that is none": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, where: {released_after: May}}\n",
        "policy.yaml:3: allow[1].where.released_after: expected a day such as 2026-01-31",
        "",
    ),
    "number assumed where yes or no belongs": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, assume: {tools: 5}}\n",
        "policy.yaml:3: allow[1].assume: tools: expected true or false, not 5.",
        "",
    ),
    "name that is empty": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, name: ' '}\n",
        "policy.yaml:3: allow[1].name: the name is empty.",
        "",
    ),
    "provider whose name is none": (
        "providers: {a/b: {type: openrouter}}\n",
        "policy.yaml:1: providers.a/b: not a name for a provider.",
        "letters, digits",
    ),
    "a parameter that LiteLLM drops entries for": (
        "providers: {openrouter: {}}\nallow:\n- match: a\n  params:\n    rpm: 10k\n",
        "policy.yaml:5: allow[1].params.rpm: '10k' is not a whole number: LiteLLM drops the entry",
        "Write a whole number.",
    ),
    "such a one for everybody": (
        "defaults:\n  params: {tags: paid}\nproviders: {openrouter: {}}\n",
        "policy.yaml:2: defaults.params.tags: 'paid' is not a list of texts: LiteLLM drops",
        "Write a list of texts.",
    ),
    "such a one for a provider": (
        "providers:\n  openrouter:\n    model_info: {tier: gold}\n",
        "policy.yaml:3: providers.openrouter.model_info.tier: 'gold' is not free or paid: LiteLLM",
        "Write free or paid.",
    ),
    "a parameter that calls stumble over": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, params: {timeout: soon}}\n",
        "allow[1].params.timeout: 'soon' is not a number of seconds: it is listed, and every call",
        "Write a number of seconds.",
    ),
    "a fact that calls to all entries of a model stumble over": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, model_info: {supports_vision: some}}\n",
        "allow[1].model_info.supports_vision: 'some' is not true or false: every call fails",
        "Write true or false.",
    ),
    "a number that has to be a text": (
        "providers: {openrouter: {}}\nallow:\n- {match: a, params: {api_version: 20240201}}\n",
        "allow[1].params.api_version: 20240201 is not a text: LiteLLM drops the entry",
        "Put it in quotes.",
    ),
    "a key beside a credential": (
        "providers: {openrouter: {}}\nallow:\n- match: a\n  key_env: K\n"
        "  params: {litellm_credential_name: team}\n",
        "policy.yaml:4: allow[1].key_env: stands beside litellm_credential_name.",
        "a key wins over a credential",
    ),
    "the same key twice": (
        "providers: {openrouter: {}}\ndeny: [a]\nallow: []\ndeny: [b]\n",
        "policy.yaml:4: 'deny' stands twice here.",
        "Keep one of the two",
    ),
    "the same key twice, deeper": (
        "providers:\n  openrouter: {}\n  xai: {}\n  openrouter: {timeout: 1s}\n",
        "policy.yaml:4: 'openrouter' stands twice here.",
        "Keep one of the two",
    ),
    "star without quotes": (
        "providers: {openrouter: {}}\ndeny: [*:free]\n",
        "policy.yaml:2: not YAML",
        'Put patterns that begin with * in quotes: "*:free".',
    ),
    "comparison without quotes": (
        "providers: {openrouter: {}}\nallow:\n- match: a\n  where:\n    context: >= 5\n",
        "policy.yaml:5: not YAML",
        "Put comparisons in quotes",
    ),
    "tab": ("providers:\n\topenrouter: {}\n", "policy.yaml:2: not YAML", "Indent with spaces"),
    "broken": ("providers: {openrouter: {}\nallow: [\n", "not YAML", ""),
    "two documents": ("version: 1\n---\nversion: 1\n", "not YAML", ""),
    "control character": ("version: 1\x00\n", "is not YAML", ""),
    "empty": ("", "policy.yaml is empty.", "rollcall init"),
    "only comments": ("# nothing\n", "policy.yaml is empty.", "rollcall init"),
    "a text": ("hello\n", "policy.yaml is not a policy", "rollcall init"),
    "a list": ("- a\n", "policy.yaml is not a policy", "rollcall init"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_file_line_and_field_and_what_to_write(mistake: str) -> None:
    text, what, hint = MISTAKES[mistake]
    error = error_of(text)
    assert what in error.what
    assert hint in error.hint


def test_every_mistake_of_the_file_is_told_the_first_one_first() -> None:
    text = "defaults: {timout: 1s}\nproviders: {openrouter: {}}\nalow: []\nnamin: x\n"
    error = error_of(text)
    assert error.what == "policy.yaml:1: defaults.timout: unknown field."
    assert error.hint == "Did you mean 'timeout'?"
    assert [one.what for one in error.others] == [
        "policy.yaml:3: alow: unknown field.",
        "policy.yaml:4: namin: unknown field.",
    ]
    assert [one.hint for one in error.others] == ["Did you mean 'allow'?", "Did you mean 'naming'?"]


def test_what_is_no_matter_of_shape_is_told_with_what_is() -> None:
    """Wrong fields do not hide an unknown provider, nor what it is named by."""
    text = """
providers:
  openruter: {time_out: 2s}
  home: {tpye: openai, base_url: http://127.0.0.1:1/v1}
  mistrall: {}
  openai: {}
allow:
- {match: a, from: opnai}
- {match: b, newst: 1, from: opnai}
aliases:
  work: {famly: gpt}
  other: {family: gpt, from: hom}
guards: {max_model: 5}
naming: "{idd}"
"""
    error = error_of(text)
    told = [error.what, *(one.what for one in error.others)]
    assert [what.removeprefix("policy.yaml:").rstrip(".") for what in told] == [
        "3: providers.openruter.time_out: unknown field",
        "3: providers.openruter: 'openruter' is not a built-in provider and has no type",
        "4: providers.home.tpye: unknown field",
        "5: providers.mistrall: 'mistrall' is not a built-in provider and has no type",
        "8: allow[1].from: 'opnai' is not among the providers",
        "9: allow[2].newst: unknown field",
        "11: aliases.work.famly: unknown field",
        "12: aliases.other.from: 'hom' is not among the providers",
        "13: guards.max_model: unknown field",
        "14: naming: {idd} is not a field of a name",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "providers: []\nalow: []\n",
        "providers: {1: {timeout: x}, openrouter: 5}\nallow: {}\n",
        "providers: {openrouter: {}}\nallow: [1, null, [a]]\naliases: {a: [b]}\n",
        "providers: {openrouter: [x]}\nallow: null\naliases: 5\n1: 2\n",
        "allow: x\ngrace: 5\n",
    ],
)
def test_whatever_has_the_wrong_shape_is_told_each_once(text: str) -> None:
    error = error_of(text)
    told = [error.what, *(one.what for one in error.others)]
    assert len(set(told)) == len(told)


SECRET = "sk-proj-Zx81kQ"


@pytest.mark.parametrize(
    "text",
    [
        f"providers:\n  openrouter: {{key_env: {SECRET}}}\n",
        f"providers:\n  openrouter: {{key_env: [{SECRET}, 5]}}\n",
        f"providers:\n  openrouter: {{key_env: {{OPENROUTER_API_KEY: {SECRET}}}}}\n",
        f"providers:\n  openrouter: {{api_key: {SECRET}}}\n",
        f"providers: {{openrouter: {{}}}}\nallow:\n- match: a\n  params: {{api_key: {SECRET}}}\n",
        "providers: {openrouter: {}}\nallow:\n- match: a\n  params:\n    extra_headers:\n"
        f"      Authorization: Bearer {SECRET}\n",
        f"providers: {{xai: {{}}}}\nallow:\n- match: a\n  params: {{api_keys: [{SECRET}]}}\n",
        f"providers: {{xai: {{}}}}\nallow:\n- match: a\n  params: {{api_key: [{SECRET}]}}\n",
        f"providers:\n  home: {{type: openai, base_url: 'user:{SECRET}@host'}}\n",
    ],
)
def test_a_key_in_the_policy_is_refused_and_never_repeated(text: str) -> None:
    assert SECRET not in str(error_of(text))


def test_a_hostile_word_cannot_write_to_the_terminal() -> None:
    error = error_of('providers: {openrouter: {}}\nallow:\n- {match: a, stage: "\\e[2J\\n"}\n')
    assert "\x1b" not in str(error)


def test_a_policy_that_refers_to_itself_is_a_mistake_not_a_crash() -> None:
    assert "policy.yaml" in error_of("providers: &a {openrouter: *a}\n").what
    assert "policy.yaml" in error_of("providers: " + "{a: " * 2000 + "1" + "}" * 2000).what


WORDS = st.sampled_from(["match", "family", "where", "from", "x", "first_of", "4.1", "on"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(NESTED, st.sampled_from(["allow", "aliases", "providers", "guards", "deny", "defaults"]))
def test_whatever_stands_in_a_policy_it_loads_or_is_a_policy_error(
    value: object, field: str
) -> None:
    text = yaml.safe_dump({"providers": {"openrouter": {}}, field: value})
    try:
        load_policy(text, "policy.yaml")
    except PolicyError as error:
        told = error
    else:
        return
    assert told.what.startswith("policy.yaml")
    assert told.hint


@pytest.mark.parametrize(
    ("text", "operator", "value"),
    [
        ('">= 128000"', ">=", "128000"),
        ('"<=1.00"', "<=", "1.00"),
        ('" < 5 "', "<", "5"),
        ('"> 0.5"', ">", "0.5"),
        ('"= 8192"', "==", "8192"),
        ('"== 8192"', "==", "8192"),
        ("128000", ">=", "128000"),
        ('"128k"', ">=", "128000"),
        ('">= 1M"', ">=", "1000000"),
    ],
)
def test_comparisons_are_written_as_people_write_them(text: str, operator: str, value: str) -> None:
    loaded = load(f"allow:\n- {{match: a, where: {{context: {text}}}}}\n")
    where = loaded.allow[0].where
    assert where is not None
    assert where.context == Condition(operator, Decimal(value))


def test_a_bare_price_means_at_most() -> None:
    where = load("allow:\n- {match: a, where: {input_price: 2}}\n").allow[0].where
    assert where is not None
    assert where.input_price == Condition("<=", Decimal(2))


def test_legacy_mode_needs_no_file_asks_openrouter_and_takes_what_anthropic_makes() -> None:
    fallback = default_policy()
    assert list(fallback.providers) == ["openrouter"]
    assert list(fallback.aliases or ()) == ["claude-fallback"]
    rows = [
        model("openrouter/anthropic/claude-sonnet-5"),
        model("openrouter/anthropic/claude-sonnet-5:batch"),
        model("openrouter/openai/gpt-5.5"),
        model("openrouter/acme/claude-sonnet-99"),
    ]
    outcome = admission.admit(RuleContext(fallback, {"openrouter": rows}, TODAY))
    assert [row.name for row in outcome.admitted] == ["openrouter/anthropic/claude-sonnet-5"]
    entries = tuple(Candidate(row.name, row.model, 1) for row in outcome.admitted)
    (only,), _ = aliases.resolve(Pool(fallback, entries, TODAY), {})
    assert only.target == "openrouter/anthropic/claude-sonnet-5"


def test_the_schema_for_editors_is_up_to_date() -> None:
    written = (ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8")
    fresh = json.dumps(json_schema(), indent=2) + "\n"
    assert written == fresh, "rollcall schema > docs/policy.schema.json"


def test_every_field_of_the_schema_is_described() -> None:
    schema = json_schema()
    for definition in (schema, *schema["$defs"].values()):
        shape = definition.get("anyOf", [definition])[-1]
        for name, field in shape.get("properties", {}).items():
            assert field.get("description"), name
