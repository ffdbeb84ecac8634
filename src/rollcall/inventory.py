"""Every model known, in the config or not, ready or not, and why. Pure values."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from rollcall.state import ProviderState, RunRecord


class ModelRow(BaseModel):
    """One row of `rollcall models`.

    Attributes:
        name: the model_name clients use; None when it is not in the config.
        version: "" = unversioned. stage: stable, preview or experimental.
        input_price, output_price: USD per 1M tokens; None = unknown.
        capabilities: the words it is known to have. modalities: what it takes in.
        ready: a client can call it now. reason: why it is, or is not, in the config and ready.
        key_env: the variable its key comes from; key_url: where to get one.
        aliases: names in the config that lead to it.
    """

    model_config = ConfigDict(frozen=True)

    name: str | None
    provider: str
    id: str
    litellm_model: str
    display_name: str | None = None
    family: str = ""
    version: str = ""
    stage: str = "stable"
    released: date | None = None
    context: int | None = None
    max_output: int | None = None
    input_price: float | None = None
    output_price: float | None = None
    capabilities: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    in_config: bool = False
    ready: bool = False
    reason: str = ""
    key_env: str | None = None
    key_url: str | None = None
    aliases: tuple[str, ...] = ()


class Inventory(BaseModel):
    """What `rollcall models`, the service and its page show; read from disk, never the network.

    Attributes:
        rows: models in the config first, in file order, then the others by provider and family.
        aliases: alias -> (target model_name, hidden).
        providers: provider -> its history. runs: newest last.
    """

    model_config = ConfigDict(frozen=True)

    rows: tuple[ModelRow, ...] = ()
    aliases: dict[str, tuple[str, bool]] = {}
    providers: dict[str, ProviderState] = {}
    runs: tuple[RunRecord, ...] = ()
