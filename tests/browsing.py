"""How tests open the page in headless Chromium, and look at what it shows."""

import base64
import io
import json
import shutil
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import numpy as np
import pytest
from PIL import Image

webdriver = pytest.importorskip("selenium.webdriver", reason="Selenium is not installed")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

DRIVER = shutil.which("chromedriver")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(
    not (DRIVER and BROWSER),
    reason="no Chromium and chromedriver (Debian: apt-get install chromium chromium-driver)",
)
PAGE = Path(__file__).parents[1] / "page" / "index.html"


def new_browser():
    """Returns a browser, a context manager."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1100,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(DRIVER))


def open_page(browser, address):
    """Opens the page with the address of a served model, and waits until it is connected."""
    browser.get(f"{PAGE.as_uri()}?model={address}")
    until(browser, lambda: "Connected" in text(browser, "status"))
    return browser


def until(browser, condition):
    return WebDriverWait(browser, 60).until(lambda _: condition())


def text(browser, name):
    return browser.find_element(By.ID, name).text


def busy(browser, panel):
    return browser.find_element(By.ID, panel).get_attribute("aria-busy") == "true"


def pixels(browser, name):
    """Returns a canvas of the page as an array `[H, W, 4]`."""
    script = "return document.getElementById(arguments[0]).toDataURL('image/png')"
    url = browser.execute_script(script, name)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGBA"))


def predict(address, body):
    """Returns a server's answer to a request that no page has made."""
    direct = build_opener(ProxyHandler({}))  # urlopen keeps the proxies of its first call
    with direct.open(Request(f"{address}:predict", json.dumps(body).encode())) as answer:
        return json.load(answer)
