"""The page in headless Chromium: filters work, nothing is broken, in both schemes and widths."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from rollcall.inspect.clients import sample_calls
from rollcall.inspect.inventory import read_inventory
from rollcall.service.app import create_app
from rollcall.settings import resolve
from tests.corpus import captures, needs_catalogs
from tests.house import House
from tests.service import picture
from tests.service.chromium import WIDTHS, look, start
from tests.service.picture import shipped_policy
from tests.service.samples import INVENTORY, NOW, options
from tests.service.serving import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    hostile = INVENTORY.rows[1].model_copy(
        update={
            "name": "<img src=x onerror=alert(1)>",
            "id": "x" * 5_000,
            "display_name": "y" * 500,
        }
    )
    inventory = INVENTORY.model_copy(update={"rows": (*INVENTORY.rows, hostile)})
    chosen = options("http://127.0.0.1:9", folder=tmp_path_factory.mktemp("s"))
    app = create_app(chosen, inventory=lambda: inventory, now=lambda: NOW)
    with serving(app) as base_url:
        yield base_url


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    browser = start(tmp_path_factory.mktemp("profile"))
    try:
        yield browser
    finally:
        browser.quit()


def names(browser: Any) -> list[str]:
    """The models on the page."""
    found: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('#models .name')].map(e => e.textContent)"
    )
    return found


def wait_for(browser: Any, condition: str) -> None:
    """Wait until a JavaScript expression holds."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 20).until(lambda _: browser.execute_script(f"return {condition}"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_reads_well_and_logs_no_error(
    browser: Any, base_url: str, scheme: str, width: str
) -> None:
    look(browser, f"{base_url}/?show=all", scheme, width)
    assert len(names(browser)) == 4
    page_width = browser.execute_script("return document.documentElement.scrollWidth")
    assert page_width <= WIDTHS[width][0]
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in paper.strip("rgb()").split(",")) / 3
    assert (brightness > 128) is (scheme == "light")
    assert browser.get_log("browser") == []


def test_typing_searches_without_a_reload(browser: Any, base_url: str) -> None:
    from selenium.webdriver.common.by import By

    look(browser, base_url, "light", "desk")
    browser.execute_script("window.loadedOnce = true")
    browser.find_element(By.ID, "q").send_keys("sonnet")
    wait_for(browser, "document.querySelectorAll('#models .name').length === 1")
    assert names(browser) == ["claude-sonnet-5"]
    assert browser.current_url == f"{base_url}/?q=sonnet&show=config"
    assert browser.execute_script("return window.loadedOnce") is True
    assert browser.execute_script("return document.activeElement.id") == "q"
    assert browser.get_log("browser") == []


def test_filters_show_what_a_key_would_bring(browser: Any, base_url: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    look(browser, base_url, "light", "desk")
    Select(browser.find_element(By.ID, "show")).select_by_value("key")
    Select(browser.find_element(By.ID, "provider")).select_by_value("xai")
    wait_for(browser, "document.querySelectorAll('#models .name').length === 1")
    assert names(browser) == ["grok-4.6"]
    link = browser.find_element(By.LINK_TEXT, "Get a key")
    assert link.get_attribute("href") == "https://console.x.ai/"
    browser.refresh()
    assert names(browser) == ["grok-4.6"]


def test_the_keyboard_is_enough(browser: Any, base_url: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    look(browser, base_url, "dark", "desk")
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.text == "To the models"
    skip.send_keys(Keys.ENTER)
    assert browser.execute_script("return document.activeElement.id") == "models"
    body.send_keys("/")
    assert browser.execute_script("return document.activeElement.id") == "q"


def test_a_call_is_copied_whole(browser: Any, base_url: str) -> None:
    from selenium.webdriver.common.by import By

    look(browser, base_url, "light", "desk")
    browser.execute_script("navigator.clipboard.writeText = async text => { window.copied = text }")
    browser.find_element(By.CSS_SELECTOR, "#aliases summary").click()
    call = browser.find_element(By.CSS_SELECTOR, "#aliases figure")
    call.find_element(By.CSS_SELECTOR, "button.copy").click()
    wait_for(browser, "document.querySelector('button.copy').textContent === 'Copied'")
    copied = browser.execute_script("return window.copied")
    assert copied == sample_calls(base_url, "LITELLM_API_KEY", "default")["curl"]


VIEWS = ("", "?show=all", "?show=key", "?show=all&provider=openrouter", "?q=a&show=all")


@needs_catalogs
def test_with_real_catalogues_no_view_is_more_than_a_few_screens(
    browser: Any, house: House
) -> None:
    shipped_policy(house)
    house.monkeypatch.delenv("OPENAI_API_KEY")
    for day, group in groupby(captures(), key=lambda capture: capture.day):
        house.on(day)
        for capture in group:
            house.sim.set_rows(capture.provider, capture.rows)
    house.applied()
    inventory = read_inventory(resolve(cwd=house.folder))
    assert len(inventory.rows) > 500
    app = create_app(
        options("http://127.0.0.1:9", folder=house.folder), inventory=lambda: inventory
    )
    with serving(app) as base_url:
        for width, (_, high) in WIDTHS.items():
            for view in VIEWS:
                look(browser, f"{base_url}/{view}", "dark", width)
                tall = browser.execute_script("return document.documentElement.scrollHeight")
                assert tall / high <= (3.5 if width == "desk" else 6), (view, width, tall)


def test_the_picture_of_the_docs_can_be_made_anew(tmp_path: Path) -> None:
    picture.make(tmp_path / "page.png")
    made = (tmp_path / "page.png").read_bytes()
    assert made.startswith(b"\x89PNG")
    assert picture.PICTURE.read_bytes()[:24] == made[:24], "the same size"
    text = (picture.TOP / "docs" / "SERVICE.md").read_text(encoding="utf-8")
    assert f"]({picture.PICTURE.name})" in text


def test_it_works_without_script(browser: Any, base_url: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        look(browser, base_url, "light", "phone")
        browser.find_element(By.ID, "q").send_keys("sonnet")
        browser.find_element(By.CSS_SELECTOR, "button.submit").click()
        WebDriverWait(browser, 20).until(lambda here: "q=sonnet" in here.current_url)
        found = browser.find_elements(By.CSS_SELECTOR, "#models .name")
        assert [each.text for each in found] == ["claude-sonnet-5"]
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
