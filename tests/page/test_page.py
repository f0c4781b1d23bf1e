"""The tab that draws, in headless Chromium, asking a local server for a model of the digits."""

import base64
import io
import shlex

import numpy as np
import pytest
from browsing import PAGE, busy, needs_browser, open_page, pixels, predict, text, until
from PIL import Image
from running import background, free_port, python
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from seqclf.config import resolve
from seqclf.experiment.run import run_experiment

pytestmark = needs_browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where a classifier of the digits is served."""
    folder = tmp_path_factory.mktemp("page")
    config = {
        "data": {"source": "digits"},
        "model": {"units": [24, 16]},
        "batch_size": 64,
        "steps": 400,
        "validate_every": 200,
        "jit_compile": False,
    }
    run_experiment(resolve(config), folder / "run")
    port = free_port()
    flags = f"--export_dir=run/export --port={port} --grpc_port=-1 --cors"
    with background(f"{shlex.join(python())} -m seqclf.serve {flags}", folder):
        yield f"http://127.0.0.1:{port}/v1/models/seqclf"


@pytest.fixture
def page(browser, address):
    """The page, connected."""
    return open_page(browser, address)


def draw(browser, points):
    """Draws a stroke through points of a square from (0, 0) to (1, 1)."""
    canvas = browser.find_element(By.ID, "drawing")
    places = (np.array(points) - 0.5) * 276  # offsets from the middle, in pixels
    chain = ActionChains(browser, duration=10)
    chain.move_to_element_with_offset(canvas, *map(int, places[0])).click_and_hold()
    for place in places[1:]:
        chain.move_to_element_with_offset(canvas, *map(int, place))
    chain.release().perform()


def circle():
    angles = np.linspace(0, 2 * np.pi, 25)
    return np.stack([0.5 + 0.2 * np.sin(angles), 0.5 - 0.32 * np.cos(angles)], axis=1)


def answers(browser):
    """Returns the probabilities that the bars show, in %."""
    bars = browser.find_elements(By.CSS_SELECTOR, "#bars li span:last-child")
    return [float(bar.text.split()[0]) for bar in bars]


def at_the_end(browser):
    until(browser, lambda: not busy(browser, "draw-panel"))
    until(browser, lambda: text(browser, "step-shown") == "8 of 8")


def test_a_certain_answer_takes_one_line(page):
    """All bars stand at one distance, whatever the length of the number beside them."""
    draw(page, circle())
    at_the_end(page)
    script = """const bars = [...document.querySelectorAll('#bars li')];
        bars[2].lastElementChild.textContent = '100.0 %';
        return bars.map((bar) => bar.getBoundingClientRect().height);"""
    assert len(set(page.execute_script(script))) == 1


def test_a_stroke_is_read(page, address):
    assert "pictures of 8 × 8, 10 classes" in text(page, "status")
    draw(page, circle())
    at_the_end(page)
    assert text(page, "answer") == "0"
    seen = pixels(page, "seen")
    assert seen.shape == (8, 8, 4) and seen[..., 3].min() == 255
    file = io.BytesIO()
    Image.fromarray(seen[..., 0]).save(file, "PNG")  # what the page shows is what was read
    body = {
        "signature_name": "trace_bytes",
        "instances": [{"image_bytes": {"b64": base64.b64encode(file.getvalue()).decode()}}],
    }
    (expected,) = predict(address, body)["predictions"]
    last = np.array(expected["step_probabilities"])[-1]
    np.testing.assert_allclose(answers(page), 100 * last, atol=0.06)
    assert pixels(page, "probabilities").shape == (8, 10, 4)
    assert pixels(page, "inside").shape == (8, 24, 4)


def test_the_slider_goes_back_to_what_it_thought_after_fewer_rows(page):
    draw(page, circle())
    at_the_end(page)
    script = "const s = document.getElementById('step'); s.value = arguments[0]; "
    page.execute_script(script + "s.dispatchEvent(new Event('input'))", 1)
    assert text(page, "step-shown") == "1 of 8"
    assert text(page, "answer") == str(np.argmax(answers(page))) != "0"  # a 0 is all but bare there
    assert text(page, "confidence") == f"{max(answers(page)):.1f} %"
    (best,) = page.find_elements(By.CSS_SELECTOR, "#classes .best")
    assert best.text == text(page, "answer")
    page.execute_script(script + "s.dispatchEvent(new Event('input'))", 3)
    for name in ("seen", "probabilities", "inside"):
        shown = pixels(page, name)[..., 3]
        assert (shown[:3] == 255).all() and (shown[3:] < 255).all()


def test_layers_and_gates_can_be_chosen(page):
    draw(page, circle())
    at_the_end(page)
    options = page.find_elements(By.CSS_SELECTOR, "#part option")
    assert {option.text for option in options} == {"update gate", "reset gate", "state"}
    page.find_element(By.CSS_SELECTOR, "#layer option[value='2']").click()
    assert pixels(page, "inside").shape == (8, 16, 4)
    page.find_element(By.CSS_SELECTOR, "#part option[value='state']").click()
    assert text(page, "inside-caption") == "state of layer 2"
    assert text(page, "low") == "-1"


def test_clear_leaves_nothing(page):
    draw(page, circle())
    at_the_end(page)
    page.find_element(By.ID, "clear").click()
    assert text(page, "answer") == "–"
    assert not pixels(page, "drawing")[..., :3].any()
    assert not page.find_element(By.ID, "play").is_enabled()


def test_the_other_tab_says_that_the_model_writes_nothing(page):
    tab = page.find_element(By.ID, "write-tab")
    assert tab.get_attribute("aria-selected") == "false"
    tab.click()
    assert "it writes no text" in text(page, "no-text")
    assert not page.find_element(By.ID, "drawing").is_displayed()
    assert not page.find_element(By.ID, "write").is_enabled()
    assert not text(page, "no-pictures")


def test_a_finger_draws_too(page):
    canvas = page.find_element(By.ID, "drawing")
    box = canvas.rect
    points = [(box["x"] + 280 * x, box["y"] + 280 * y) for x, y in circle()]
    for kind, (x, y) in zip(
        ["touchStart", *["touchMove"] * (len(points) - 2), "touchEnd"], points, strict=False
    ):
        touches = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    at_the_end(page)
    assert text(page, "answer") == "0"


def test_a_server_that_is_not_there_is_named(browser):
    browser.get(f"{PAGE.as_uri()}?model=http://127.0.0.1:{free_port()}/v1/models/seqclf")
    until(browser, lambda: "No answer from http://127.0.0.1" in text(browser, "status"))
    assert "--cors" in text(browser, "status")


def test_a_model_that_is_not_there_is_named(browser, address):
    browser.get(f"{PAGE.as_uri()}?model={address}x")
    until(
        browser,
        lambda: "seqclfx" in text(browser, "status") and "Asking" not in text(browser, "status"),
    )
