"""The page in headless Chromium: filters work, nothing is broken, in both schemes and widths."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from rollcall.service.app import create_app
from tests.service.samples import INVENTORY, NOW, options
from tests.service.serving import serving

pytestmark = pytest.mark.browser

WIDTHS = {"phone": (390, 844), "desk": (1280, 900)}


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
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not on PATH (apt install chromium-driver)")
    wanted = webdriver.ChromeOptions()
    wanted.binary_location = chromium
    profile = tmp_path_factory.mktemp("profile")
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"):
        wanted.add_argument(word)
    wanted.add_argument(f"--user-data-dir={profile}")
    wanted.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(wanted, webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


def look(browser: Any, address: str, scheme: str, width: str) -> None:
    """Open a page in a colour scheme and a width."""
    wide, high = WIDTHS[width]
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": wide, "height": high, "deviceScaleFactor": 1, "mobile": width == "phone"},
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(address)


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
