"""A small inventory, and settings without a surrounding."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from rollcall.inspect.inventory import Inventory, ModelRow
from rollcall.service import ServeOptions
from rollcall.settings import Settings
from rollcall.store.state import ProviderState, RunRecord

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

SONNET = ModelRow(
    name="claude-sonnet-5",
    provider="anthropic",
    id="claude-sonnet-5",
    litellm_model="anthropic/claude-sonnet-5",
    display_name="Claude Sonnet 5",
    family="claude-sonnet",
    version="5",
    released=date(2026, 9, 1),
    context=1_000_000,
    max_output=64_000,
    input_price=3.0,
    output_price=15.0,
    capabilities=("tools", "vision"),
    modalities=("text", "image"),
    in_config=True,
    ready=True,
    reason="rule 1 admits it",
    key_env="ANTHROPIC_API_KEY",
    key_url="https://console.anthropic.com/settings/keys",
    aliases=("default", "secret-alias"),
)
GPT = ModelRow(
    name="openai/gpt-5.5",
    provider="openai",
    id="gpt-5.5",
    litellm_model="openai/gpt-5.5",
    family="gpt",
    version="5.5",
    context=400_000,
    in_config=True,
    ready=False,
    reason="OPENAI_API_KEY is not set",
    lacks_key=True,
    key_env="OPENAI_API_KEY",
    key_url="https://platform.openai.com/api-keys",
)
GROK = ModelRow(
    name=None,
    provider="xai",
    id="grok-4.6",
    litellm_model="xai/grok-4.6",
    display_name="Grok 4.6",
    family="grok",
    version="4.6",
    ready=False,
    reason="XAI_API_KEY is not set",
    lacks_key=True,
    key_env="XAI_API_KEY",
    key_url="https://console.x.ai",
)
INVENTORY = Inventory(
    rows=(SONNET, GPT, GROK),
    aliases={
        "default": ("claude-sonnet-5", False),
        "secret-alias": ("claude-sonnet-5", True),
        "lost": ("nothing", False),
    },
    providers={
        "anthropic": ProviderState(verdict="ok", last_good="2026-11-20T11:00:00Z", models=20),
        "openai": ProviderState(
            verdict="timeout", detail="no answer in 2 s", stale_since="2026-11-18T12:00:00Z"
        ),
        "xai": ProviderState(verdict="no_key"),
    },
    runs=(
        RunRecord(
            at="2026-11-20T11:00:00Z",
            command="apply",
            outcome="applied",
            summary="1 added",
            changes=["+ claude-sonnet-5"],
        ),
    ),
)


def options(
    upstream: str, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> ServeOptions:
    """Options of a service in front of `upstream`, that gives it all the time in the world: a busy
    machine must not look like a slow LiteLLM.
    """
    folder = folder or Path.cwd()
    settings = Settings(
        config_path=folder / "config.yaml",
        policy_path=folder / "policy.yaml",
        state_dir=folder / ".rollcall",
        now=NOW,
        environ=environ or {},
    )
    return ServeOptions(settings=settings, upstream=upstream, port=0, upstream_timeout_seconds=60.0)
