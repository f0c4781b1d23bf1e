"""Photographs the page in headless Chromium, for the pictures of it in the documentation.

    python -m seqclf.serve --export_dir=runs/mnist/export --page &
    python docs/draw_page.py draw http://127.0.0.1:8501 docs/images/page.png
    python docs/draw_page.py write http://127.0.0.1:8501 docs/images/page_text.png  # a text model
    python docs/draw_page.py series http://127.0.0.1:8501 docs/images/page_series.png table.csv

Needs Selenium, which `make test` installs, Chromium and its driver.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WIDTH = 1100  # pixels
BOTTOM = "return document.body.getBoundingClientRect().bottom"
SECONDS = 60  # that an answer may take
# A 2: corners of a polygon in a square from (0, 0) to (1, 1).
TWO = [
    *((0.33, 0.27), (0.37, 0.19), (0.45, 0.15), (0.54, 0.16), (0.62, 0.21), (0.66, 0.30)),
    *((0.64, 0.42), (0.57, 0.53), (0.46, 0.66), (0.34, 0.78), (0.47, 0.79), (0.72, 0.81)),
]
STEP = 22  # of 28 rows: a 2 of which the foot is not read yet
PREFIX = (
    "'What is the time?' said the Psychologist. 'It is half past seven now.'\n\n"
    "The Medical Man looked round the room. 'Where is he?' said the Editor of a well-known daily "
    "paper; and thereupon the Doctor rang the bell.\n\n'It's "
)


def main() -> None:
    tabs = {"draw": draw, "write": write, "series": series}
    if len(sys.argv) < 4 or sys.argv[1] not in tabs:
        sys.exit(__doc__)
    tab, address, path, *rest = sys.argv[1:]
    photograph(tabs[tab], address, Path(path), *rest)
    print(path)


def photograph(show: Callable, address: str, path: Path, *arguments: str) -> None:
    """Opens a page, lets a function use it, and writes a picture of the whole of it.

    Args:
        show: called with the browser and the further arguments.
        address: address of the page.
        path: the PNG file.
        *arguments: passed on.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in ("--headless=new", "--no-sandbox", f"--window-size={WIDTH},1000"):
        options.add_argument(argument)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with webdriver.Chrome(options, service) as browser:
        browser.get(address)
        until(browser, lambda: "Connected" in text(browser, "status"))
        show(browser, *arguments)
        browser.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
        height = int(browser.execute_script(BOTTOM)) + 20
        metrics = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.save_screenshot(str(path))


def draw(browser: webdriver.Chrome) -> None:
    """Draws a 2 and goes back to a row in its middle."""
    canvas = browser.find_element(By.ID, "drawing")
    places = ((np.array(TWO) - 0.5) * canvas.size["width"]).astype(int).tolist()
    chain = ActionChains(browser, duration=10)
    chain.move_to_element_with_offset(canvas, *places[0]).click_and_hold()
    for place in places[1:]:
        chain.move_to_element_with_offset(canvas, *place)
    chain.release().perform()
    panel = browser.find_element(By.ID, "draw-panel")
    until(browser, lambda: text(browser, "answer") and panel.get_attribute("aria-busy") != "true")
    last = browser.find_element(By.ID, "step").get_attribute("max")
    until(browser, lambda: text(browser, "step-shown") == f"{last} of {last}")
    move(browser, "step", min(STEP, int(last)))


def write(browser: webdriver.Chrome) -> None:
    """Lets a model of language write on, and chooses one of the tokens that it wrote."""
    fill(browser, "prefix", PREFIX)
    for name, value in (("length", "160"), ("temperature", "0.6"), ("seed", "3")):
        fill(browser, name, value)
    browser.find_element(By.ID, "write").click()
    until(browser, lambda: text(browser, "status").startswith("Written"))
    varied = browser.find_elements(By.CSS_SELECTOR, "#varied button")
    varied[0].click()  # the unit that varies most along the text
    move(browser, "token", len(PREFIX) + 100)


def series(browser: webdriver.Chrome, table: str) -> None:
    """Reads a table and goes back to the middle of its first sequence."""
    browser.find_element(By.ID, "file").send_keys(str(Path(table).resolve()))
    until(browser, lambda: text(browser, "series-answer") or text(browser, "table-problem"))
    last = int(browser.find_element(By.ID, "series-step").get_attribute("max"))
    move(browser, "series-step", last // 2)


def fill(browser: webdriver.Chrome, name: str, value: str) -> None:
    script = """arguments[0].value = arguments[1];
        for (const kind of ["input", "change"])
          arguments[0].dispatchEvent(new Event(kind, { bubbles: true }));"""
    browser.execute_script(script, browser.find_element(By.ID, name), value)


def move(browser: webdriver.Chrome, name: str, value: int) -> None:
    """Sets a slider."""
    fill(browser, name, str(value))


def text(browser: webdriver.Chrome, name: str) -> str:
    return browser.find_element(By.ID, name).text


def until(browser: webdriver.Chrome, condition: Callable[[], object]) -> None:
    WebDriverWait(browser, SECONDS).until(lambda _: condition())


if __name__ == "__main__":
    main()
