"""What rollcall knows about the names LiteLLM lists: looked up by name or alias. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container

    from rollcall.inspect.inventory import Inventory, ModelRow


class Known:
    """One inventory, indexed by the names clients use.

    Args:
        keys_set: the variables that hold a key.
    """

    def __init__(self, inventory: Inventory, keys_set: Container[str] = ()) -> None:
        self.inventory = inventory
        self._keys_set = keys_set
        self.rows: dict[str, ModelRow] = {}
        for row in inventory.rows:
            if row.in_config and row.name is not None:
                present = self.rows.get(row.name)
                if present is None or (row.ready and not present.ready):
                    self.rows[row.name] = row

    def row(self, name: str) -> ModelRow | None:
        """The model a name leads to; as in LiteLLM an alias wins over a model of the same name."""
        target = self.inventory.aliases.get(name)
        return self.rows.get(target[0] if target else name)

    def alias_target(self, name: str) -> str | None:
        """What an alias points at; None where the name is no alias."""
        target = self.inventory.aliases.get(name)
        return target[0] if target else None

    def ready(self, name: str) -> bool:
        """False only where rollcall knows why a call would fail."""
        row = self.row(name)
        return row.ready if row else True

    def display_name(self, name: str) -> str | None:
        """What to show a person for a name; an alias says where it leads."""
        row = self.row(name)
        if row is None:
            return None
        target = self.alias_target(name)
        if target is not None:
            return f"{name} ({row.display_name or target})"
        return row.display_name

    def metadata(self, name: str, listed: Container[str]) -> dict[str, Any]:
        """What else is known of a name, in plain words; prices are USD per 1M tokens.

        Args:
            listed: the names the caller may see; aliases outside are left out.
        """
        row = self.row(name)
        facts = describe(row, listed) if row else {}
        if row and not row.ready:
            facts |= self.way_to_ready(row)
        target = self.alias_target(name)
        if target is not None and (target in listed or row is not None):
            facts["alias_for"] = target
        return facts

    def way_to_ready(self, row: ModelRow) -> dict[str, Any]:
        """Why a model cannot be called, and which key would change that."""
        key = {"key_env": row.key_env, "key_url": row.key_url} if self.misses_key(row) else {}
        return {"reason": row.reason, **key}

    def misses_key(self, row: ModelRow) -> bool:
        """Whether it is a missing key that keeps a model from being called."""
        return not row.ready and row.key_env is not None and row.key_env not in self._keys_set

    @property
    def listed_names(self) -> tuple[str, ...]:
        """The names LiteLLM would list for config.yaml: visible aliases, then models."""
        visible = [
            alias
            for alias, (target, hidden) in self.inventory.aliases.items()
            if not hidden and target in self.rows
        ]
        return tuple(dict.fromkeys((*visible, *self.rows)))

    @property
    def kept_away(self) -> tuple[ModelRow, ...]:
        """Models that are not in the config, and that a key would bring within reach."""
        return tuple(
            row for row in self.inventory.rows if not row.in_config and self.misses_key(row)
        )


def describe(row: ModelRow, listed: Container[str]) -> dict[str, Any]:
    """One model as a JSON object."""
    return {
        "provider": row.provider,
        "id": row.id,
        "family": row.family or None,
        "version": row.version or None,
        "stage": row.stage,
        "released": row.released.isoformat() if row.released else None,
        "context": row.context,
        "max_output": row.max_output,
        "input_price": row.input_price,
        "output_price": row.output_price,
        "capabilities": list(row.capabilities),
        "modalities": list(row.modalities),
        "aliases": [alias for alias in row.aliases if alias in listed],
    }
