"""Every model that real replies list, as it is read: kind, family, price as it would be written.

`python -m tests.catalog_table` writes the table anew; a change that moves a row is looked at there.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from rollcall.catalog.model import PER_MILLION, Model
from rollcall.providers.answers import stored_answer
from rollcall.providers.builtin import BUILTIN
from tests.corpus import CATALOGS

TABLE = Path(__file__).with_name("data") / "catalog.txt"
NAMES = {"dashscope": "qwen", "llamacpp": "vllm", "gpustack": "vllm"}
HEADER = """\
# Every model of the recorded replies, each id as its newest reply has it. Columns: provider, id,
# kind ("chat" is what a family or a pattern may admit), maker/family, USD per 1M tokens in and out
# as they would be written. "-" = unknown. `python -m tests.catalog_table` writes it anew.
"""


def recorded() -> Iterable[Model]:
    """The models of all recorded replies, an older reply's before a newer one's."""
    for path in sorted(CATALOGS.glob("*/*.json"), key=lambda path: (path.parent.name, path.name)):
        if "headers" not in path.name and "HTTP" not in path.name:
            provider = BUILTIN[NAMES.get(path.parent.name, path.parent.name)]
            yield from stored_answer(provider, [path.read_bytes()]).models


def rows() -> list[str]:
    """The table's rows, by provider and id."""
    newest = {model.key: model for model in recorded()}
    return [_row(newest[key]) for key in sorted(newest)]


def _row(model: Model) -> str:
    reading = model.reading
    kind = "deprecated" if model.deprecated and model.kind == "chat" else model.kind
    family = f"{reading.maker or '-'}/{reading.family or '-'}"
    prices = (_plain(model.price.input), _plain(model.price.output))
    return " ".join((model.provider, model.id.replace(" ", "_"), kind, family, *prices))


def _plain(price: Decimal | None) -> str:
    return "-" if price is None else f"{(price * PER_MILLION).normalize():f}"


if __name__ == "__main__":
    TABLE.write_text(HEADER + "\n".join(rows()) + "\n", encoding="utf-8", newline="\n")
