"""`python -m tests.service.picture`: makes docs/service-page.png from simulated providers.

The shipped policy, two runs eight days apart; one provider without a key, one model withdrawn, one
alias held because its next model is dearer.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from rollcall.inspect.inventory import Inventory, read_inventory
from rollcall.service.app import create_app
from rollcall.settings import resolve
from tests.house import House
from tests.service import chromium
from tests.service.samples import options
from tests.service.serving import serving
from tests.simulator.catalogs import MAIN
from tests.simulator.simulator import Simulator
from tests.test_curation import dearer, without

TOP = Path(__file__).resolve().parents[2]
PICTURE = TOP / "docs" / "service-page.png"
WIDTH, HEIGHT = 1280, 1000


def shipped_policy(house: House) -> None:
    """The shipped policy, asking the simulated providers."""
    text = (TOP / "policy.yaml").read_text(encoding="utf-8")
    for name in MAIN:
        text = text.replace(f"  {name}: {{}}", f"  {name}: {{base_url: {house.sim.url(name)}}}")
    house.policy.write_text(text, encoding="utf-8")


def scene(house: House) -> Inventory:
    """What the page in the docs shows."""
    shipped_policy(house)
    house.monkeypatch.delenv("OPENAI_API_KEY")
    house.applied()
    house.later(8)
    without(house, "xai", "grok-4.6")
    dearer(house, 2.0)
    house.applied()
    return read_inventory(resolve(cwd=house.folder))


def make(path: Path) -> None:
    """Take the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        Simulator() as sim,
    ):
        house = House(Path(folder), sim, patch)
        inventory, now = scene(house), resolve(cwd=house.folder).now
        chosen = options("http://127.0.0.1:9", folder=house.folder)
        app = create_app(chosen, inventory=lambda: inventory, now=lambda: now)
        browser = chromium.start(house.folder / "profile")
        try:
            with serving(app) as base_url:
                chromium.look(browser, base_url, "light", "desk")
                path.write_bytes(chromium.picture(browser, WIDTH, HEIGHT))
        finally:
            browser.quit()


if __name__ == "__main__":
    make(PICTURE)
