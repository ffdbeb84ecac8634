"""Headless Chromium: opens the page in a colour scheme and a width, and takes its picture."""

from __future__ import annotations

import base64
import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

WIDTHS = {"phone": (390, 844), "desk": (1280, 900)}


def start(profile: Path) -> Any:
    """A browser with an empty profile; skips the test where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not on PATH (apt install chromium-driver)")
    wanted = webdriver.ChromeOptions()
    wanted.binary_location = chromium
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"):
        wanted.add_argument(word)
    wanted.add_argument("--hide-scrollbars")
    wanted.add_argument(f"--user-data-dir={profile}")
    wanted.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(wanted, webdriver.ChromeService(driver))


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


def picture(browser: Any, width: int, height: int) -> bytes:
    """The page from its top, as PNG."""
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    wanted = {"captureBeyondViewport": True, "clip": clip}
    return base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", wanted)["data"])
