"""The tab that writes, in headless Chromium, asking a local server for a language model."""

import re
import shlex

import numpy as np
import pytest
from browsing import busy, needs_browser, open_page, pixels, predict, text, until
from language_models import language_model, spec_of
from running import background, free_port, python
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import seqclf
from seqclf.serving.text import draws
from seqclf.serving.text.export import write_text_version

pytestmark = needs_browser
SPEC = spec_of()
UNITS = (6, 5)
PREFIX = "the rain\nin"
# The colours of matplotlib's viridis and RdBu, a quarter of the scale apart.
GATE = [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)]
STATE = [(178, 24, 43), (244, 165, 130), (247, 247, 247), (146, 197, 222), (33, 102, 172)]


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    export = tmp_path_factory.mktemp("text") / "export"
    (export / "1").mkdir(parents=True)
    model = language_model(SPEC, units=list(UNITS))
    write_text_version(export / "1", model, SPEC, {}, [b"the rain"])
    return export


@pytest.fixture(scope="module")
def address(export):
    """Where the language model is served."""
    port = free_port()
    flags = f"--export_dir={export} --port={port} --grpc_port=-1 --cors"
    with background(f"{shlex.join(python())} -m seqclf.serve {flags}", export.parent):
        yield f"http://127.0.0.1:{port}/v1/models/seqclf"


@pytest.fixture
def page(browser, address):
    """The page, connected."""
    return open_page(browser, address)


def write(page, prefix=PREFIX, choice="random", wait=True, **numbers):
    """Fills in the form, and has the model write."""
    page.find_element(By.CSS_SELECTOR, f"#choice option[value={choice}]").click()
    script = "document.getElementById(arguments[0]).value = arguments[1]"
    for name, value in {"prefix": prefix, "length": 12, **numbers}.items():
        page.execute_script(script, name, value)
    page.find_element(By.ID, "write").click()
    if wait:
        until(page, lambda: not busy(page, "write-panel"))


def written(page):
    return page.execute_script("return document.getElementById('plain-text').textContent")


def tokens(page):
    return page.find_elements(By.CSS_SELECTOR, "#text span")


def ground(token):
    """Returns the colour of a token's ground, [red, green, blue]."""
    return [int(n) for n in re.findall(r"\d+", token.value_of_css_property("background-color"))[:3]]


def shade(share, scale):
    return [np.interp(4 * share, range(5), channel) for channel in zip(*scale, strict=True)]


def readings(address, text):
    """Returns what the server says after each character of a text."""
    answer = {f"state_{i}": [[0.0] * units] for i, units in enumerate(UNITS, start=1)}
    found = []
    for character in text:
        states = {name: value for name, value in answer.items() if name.startswith("state_")}
        inputs = {"ids": [SPEC.class_names.index(character)], **states}
        answer = predict(address, {"signature_name": "trace_step", "inputs": inputs})["outputs"]
        found.append(answer)
    return found


def test_it_writes_what_generate_writes(page, export):
    assert text(page, "status").startswith("Connected: a language model of characters")
    write(page, temperature=0.9, seed=-3)
    options = {"length": 12, "temperature": 0.9, "seed": -3}
    assert written(page) == seqclf.generate(export, PREFIX, **options)
    assert len(tokens(page)) == len(PREFIX) + 12
    assert text(page, "status") == "Written: 12 characters."
    write(page, choice="greedy")
    assert not page.find_element(By.ID, "seed").is_enabled()
    assert written(page) == seqclf.generate(export, PREFIX, length=12, temperature=0)


def test_each_token_has_its_probability_and_its_units(page, address):
    write(page, temperature=1.5, **{"top-k": 4})
    whole = written(page)
    read = readings(address, whole)
    slider = page.find_element(By.ID, "token")
    slider.send_keys(Keys.HOME)
    until(page, lambda: "1 of 23, of the prefix, nothing stands before it" in shown(page))
    assert not page.find_elements(By.CSS_SELECTOR, "#likeliest li")
    slider.send_keys(Keys.END, Keys.ARROW_LEFT)
    until(page, lambda: "22 of 23, written" in shown(page))
    probabilities = np.array(read[20]["probabilities"][0])
    own = probabilities[SPEC.class_names.index(whole[21])]
    assert f"probability {100 * own:.1f} %" in shown(page)
    shares = [e.text for e in page.find_elements(By.CSS_SELECTOR, "#likeliest li :last-child")]
    expected = np.sort(probabilities[1:])[::-1][:8]
    assert [share for share in shares if share] == [f"{100 * p:.1f} %" for p in expected]
    (marked,) = page.find_elements(By.CSS_SELECTOR, "#likeliest [aria-current] span:first-child")
    assert marked.text == {" ": "space", "\n": "line end"}.get(whole[21], whole[21])
    tokens(page)[3].click()
    until(page, lambda: "space: 4 of 23, of the prefix" in shown(page))
    page.find_element(By.CSS_SELECTOR, "#text-layer option[value='1']").click()
    page.find_element(By.CSS_SELECTOR, "#text-part option[value='update gate']").click()
    for unit in (2, 6):
        field = page.find_element(By.ID, "unit")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(str(unit))
        until(page, lambda u=unit: f"update gate of layer 1, unit {u}" in text(page, "coloured-by"))
        for at in (0, 15):
            gate = read[at]["update_gate_1"][0][unit - 1]
            np.testing.assert_allclose(ground(tokens(page)[at]), shade(gate, GATE), atol=1)
        assert f"{read[3]['update_gate_1'][0][unit - 1]:.2f}" in shown(page)
    found = pixels(page, "units-map")
    assert found.shape == (6, 23, 4)
    gates = np.array([each["update_gate_1"][0] for each in read]).T  # [H, T]
    expected = np.stack([[shade(gate, GATE) for gate in row] for row in gates])
    np.testing.assert_allclose(found[..., :3], expected, atol=1)


def shown(page):
    return text(page, "token-shown")


def test_units_that_are_at_work_are_listed(page, address):
    write(page)
    read = readings(address, written(page))
    states = np.array([each["state_2"][0] for each in read])  # [T, H]
    order = np.argsort(-states.std(0)) + 1
    varied = page.find_elements(By.CSS_SELECTOR, "#varied button")
    assert [int(button.text.split(":")[0]) for button in varied] == order.tolist()
    tokens(page)[7].click()
    distances = np.abs(states[7] - states.mean(0))
    expected = [f"{u + 1}: {states[7, u]:.2f}" for u in np.argsort(-distances)]
    until(page, lambda: listed(page) == expected)
    page.find_elements(By.CSS_SELECTOR, "#at-work button")[2].click()
    unit = int(expected[2].split(":")[0])
    until(page, lambda: text(page, "coloured-by") == f"state of layer 2, unit {unit}")
    shares = (states[:, unit - 1] + 1) / 2
    for at, share in enumerate(shares):
        np.testing.assert_allclose(ground(tokens(page)[at]), shade(share, STATE), atol=1)


def listed(page):
    return [button.text for button in page.find_elements(By.CSS_SELECTOR, "#at-work button")]


def test_what_the_vocabulary_lacks_is_said(page):
    write(page, prefix="the ẞ star")
    assert "The vocabulary lacks, and the model reads as <unk>: ẞ" in text(page, "prefix-note")
    (unknown,) = page.find_elements(By.CSS_SELECTOR, "#text .unknown")
    assert unknown.text == "ẞ"


def test_stop_and_write_again(page):
    write(page, length=1000, wait=False)
    until(page, lambda: len(page.find_elements(By.CSS_SELECTOR, "#text .written")) > 2)
    page.find_element(By.ID, "stop").click()
    assert not busy(page, "write-panel")
    count = len(tokens(page))
    assert text(page, "status") == f"Stopped after {count - len(PREFIX)} characters."
    assert len(written(page)) == count
    write(page)
    assert len(tokens(page)) == len(PREFIX) + 12


def test_tabs_are_chosen_by_the_keyboard(page):
    tab = page.find_element(By.ID, "write-tab")
    assert tab.get_attribute("aria-selected") == "true"
    tab.send_keys(Keys.ARROW_RIGHT)
    assert page.switch_to.active_element.get_attribute("id") == "series-tab"
    assert "it reads no tables of numbers" in text(page, "no-series")
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert page.switch_to.active_element.get_attribute("id") == "draw-tab"
    assert page.find_element(By.ID, "drawing").is_displayed()
    assert "it reads no pictures" in text(page, "no-pictures")
    page.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    page.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    assert page.find_element(By.ID, "prefix").is_displayed()


def test_draws_are_those_of_python(page):
    places = [(0, 0), (-1, 5), (7, 999), (2**63 - 1, 3), (-(2**63), 0)]
    script = "return arguments[0].map(([seed, place]) => uniform(BigInt(seed), place))"
    found = page.execute_script(script, [[str(seed), place] for seed, place in places])
    assert found == [draws.uniform(*each) for each in places]
    rng = np.random.default_rng(0)
    for _ in range(20):
        probabilities = rng.dirichlet(np.full(12, 0.3)).astype(np.float32)
        options = float(rng.choice([0, 0.4, 1, 3])), int(rng.integers(0, 5)), rng.random()
        found = page.execute_script("return choose(...arguments)", probabilities.tolist(), *options)
        assert found == draws.choose(probabilities, *options)


def test_models_of_bytes_and_of_lstm_cells(page):
    """Their signatures have other names; a server for each of them would take long."""
    dims = "({tensor_shape: {dim: [{size: '-1'}, {size: '7'}]}})"
    script = f"""
        const inputs = Object.fromEntries(['ids', 'state_1', 'state_2', 'state_3', 'state_4']
          .map((name) => [name, {dims}]));
        const gates = ['forget_gate_1', 'forget_gate_2', 'input_gate_1', 'input_gate_2'];
        const outputs = Object.fromEntries(gates.map((name) => [name, {{}}]));
        const model = new TextModel({{ predict: async (_, {{ ids }}) => ids.map(
          (id) => ({{ b64: btoa(String.fromCharCode(id)) }})) }},
          {{ trace_step: {{ inputs, outputs }}, tokens: {{ outputs: {{ tokens_bytes: {{}} }} }} }});
        model.separator = '';
        const tokens = await model.tokens([195, 169, 65]);
        return [model.layers, model.parts(2), model.joined(tokens),
          tokens.map((token) => tokenName(token, true))];"""
    layers, parts, joined, names = page.execute_script(script)
    assert layers == 2 and joined == "éA" and names == ["0xC3", "0xA9", "A"]
    assert parts == [
        ["state", "state_3", 7],
        ["cell state", "state_4", 7],
        ["forget gate", "forget_gate_2", 7],
        ["input gate", "input_gate_2", 7],
    ]


def test_an_export_of_an_earlier_version_is_told_from_other_models(page):
    said = page.execute_script("return whyNot({generate: {}, start: {}, step: {}})")
    assert "Export it again" in said
    assert "trace_bytes" in page.execute_script("return whyNot({serving_default: {}})")
