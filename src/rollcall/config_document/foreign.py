"""Files that are not one LiteLLM config: told from it before anybody looks for a place in them."""

from __future__ import annotations

import re

import yaml

from rollcall.config_document.loading import LoadedYaml
from rollcall.config_document.nodes import begin, has_merge
from rollcall.config_document.refusals import refusal
from rollcall.config_document.text import line_number

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


def refuse_other_files(loaded: LoadedYaml) -> None:
    """Refuse a file that LiteLLM would not take for its config.

    Raises:
        ConfigRefused: a manifest, another tool's file, no mapping.
    """
    body, root = loaded.body, loaded.root
    if root is None or _is_unsaid(root):
        return
    if not isinstance(root, yaml.MappingNode):
        raise refusal("not_a_mapping", line_number(body, begin(root)))
    keys = [key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)]
    if not root.value or has_merge(root) or not LITELLM_KEYS.isdisjoint(keys):
        return
    if {"apiVersion", "kind"} <= set(keys):
        raise refusal("kubernetes", _embedded_line(body))
    raise refusal("not_litellm", line_number(body, begin(root.value[0][0])))


def _embedded_line(body: str) -> int:
    """The line of the config inside a manifest, else of its `kind`."""
    found = re.search(r"^[ ]+model_list:", body, re.MULTILINE) or re.search(
        r"^[{ \"]*kind", body, re.MULTILINE
    )
    return line_number(body, found.start()) if found else 1


def _is_unsaid(root: yaml.Node) -> bool:
    """Whether a document has no content, as after a bare `---`."""
    return isinstance(root, yaml.ScalarNode) and begin(root) == int(root.end_mark.index)
