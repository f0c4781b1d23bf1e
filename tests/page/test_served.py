"""The page as `seqclf.serve --page` sends it: asked of the server itself, under its policy."""

import re
import shlex
import subprocess
from urllib.parse import quote

import numpy as np
import pytest
from browsing import needs_browser, pixels, text, until
from running import background, free_port, python, seqclf
from selenium.webdriver.common.by import By
from series_exports import write_series_export

NAME = "a model"


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """The address of a server with the page, for a model whose name an address must escape."""
    export = tmp_path_factory.mktemp("served") / "export"
    write_series_export(export)
    port = free_port()
    flags = f"--export_dir={export} --port={port} --grpc_port=-1 --page --name={shlex.quote(NAME)}"
    with background(f"{shlex.join(python())} -m seqclf.serve {flags}", export.parent):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def page(browser, origin):
    """The page that the server sends, connected."""
    browser.get(origin)
    until(browser, lambda: "Connected" in text(browser, "status"))
    return browser


def paste(page, table):
    script = """const field = document.getElementById('table'); field.value = arguments[0];
        field.dispatchEvent(new Event('input'));"""
    page.execute_script(script, table)
    until(page, lambda: text(page, "series-answer") or text(page, "table-problem"))


@needs_browser
def test_it_asks_the_server_that_it_comes_from(page, origin):
    address = page.find_element(By.ID, "address").get_attribute("value")
    assert address == f"{origin}/v1/models/{quote(NAME)}"
    page.get_log("browser")  # what other pages have said
    paste(page, "run,t,temp,vib\na,0,1,.5\na,1,2,.25\n")
    assert text(page, "series-step-shown") == "2 of 2 (1)"
    assert np.ptp(pixels(page, "series-units")[..., :3]) > 0
    said = [entry["message"] for entry in page.get_log("browser")]
    assert not said  # nothing that the policy forbids
    names = page.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert len(names) > 20
    assert all(name.startswith((origin, "data:")) for name in names)


@needs_browser
def test_the_address_of_a_version_can_be_given(browser, origin):
    browser.get(f"{origin}/?model=/v1/models/{quote(NAME)}/versions/1")
    until(browser, lambda: "Connected" in text(browser, "status"))
    address = browser.find_element(By.ID, "address").get_attribute("value")
    assert address == f"{origin}/v1/models/{quote(NAME)}/versions/1"


@needs_browser
def test_other_servers_are_not_asked(browser, origin):
    other = f"http://127.0.0.1:{free_port()}/v1/models/seqclf"
    browser.get(f"{origin}/?model={other}")
    until(browser, lambda: f"This page comes from {origin}" in text(browser, "status"))
    said = [entry["message"] for entry in browser.get_log("browser")]
    assert any("Content Security Policy" in message for message in said)


@needs_browser
@pytest.mark.parametrize("tab", ["draw", "write", "series"])
def test_a_small_screen_is_wide_enough(page, tab):
    paste(page, "run,t,temp,vib\n" + "".join(f"run-{r},{t},{t},0\n" for r in "ab" for t in (0, 1)))
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.find_element(By.ID, f"{tab}-tab").click()
        page.execute_script("document.getElementById('table-layout').open = true")
        if tab == "write":  # what is seen of a text
            page.execute_script("document.getElementById('inside-text').hidden = false")
        beyond = """return [...document.querySelectorAll('body *')].filter((each) => {
            const box = each.getBoundingClientRect();
            return box.width && !each.closest('.unseen') && (box.right > 360.5 || box.left < -0.5);
          }).map((each) => each.outerHTML.slice(0, 80))"""
        assert page.execute_script(beyond) == []
        assert page.execute_script("return document.documentElement.scrollWidth") <= 360
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_told_from_their_ground(page, scheme):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        script = """
            const style = getComputedStyle(document.documentElement);
            return Object.fromEntries(arguments[0].map(
              (name) => [name, style.getPropertyValue(`--${name}`).trim()]));"""
        lines = [f"colour-{i}" for i in range(1, 7)]
        colours = page.execute_script(script, ["ground", "ink", "quiet", "problem", *lines])
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    ground = luminance(colours.pop("ground"))
    assert (ground > 0.5) == (scheme == "light")
    for name, colour in colours.items():
        low, high = sorted([ground, luminance(colour)])
        least = 3 if name in lines else 4.5  # WCAG 2.2, 1.4.11 and 1.4.3
        assert (high + 0.05) / (low + 0.05) >= least, name


def luminance(colour):
    """Returns the relative luminance of a colour such as #1c2126, as WCAG defines it."""
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_the_command_prints_the_address(tmp_path):
    write_series_export(tmp_path / "export")
    port = free_port()
    flags = f"--export_dir=export --port={port} --grpc_port=-1"
    for page in (" --page", ""):
        command = f"exec {shlex.join(python())} -m seqclf.serve {flags}{page}"
        with subprocess.Popen(
            command, shell=True, cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as process:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "Ctrl-C" in line:
                    break
            process.terminate()
        printed = re.findall(r"^page +(\S+)$", "".join(lines), re.M)
        assert printed == ([f"http://127.0.0.1:{port}/"] if page else [])
    assert "--[no]page" in seqclf("serve", "--help")
