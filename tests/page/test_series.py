"""The tab that reads tables, in headless Chromium, asking a local server for a model of sequences.

What it shows is compared with what `seqclf.predict` says of the same files, and the tables that it
reads with those that seqclf reads.
"""

import csv
import json
import re
import shlex

import numpy as np
import pandas as pd
import pytest
from browsing import busy, needs_browser, open_page, pixels, predict, text, until
from running import background, free_port, python, seqclf
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from series_exports import CLASSES, LAYOUT, write_series_export

from seqclf.data.table_layout import TableLayout
from seqclf.data.tables.stream import open_table

pytestmark = needs_browser
# The colours of matplotlib's viridis, a quarter of the scale apart.
GATE = [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)]


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    export = tmp_path_factory.mktemp("series") / "export"
    write_series_export(export)
    return export


@pytest.fixture(scope="module")
def address(export):
    """Where a model of sequences is served."""
    with served(export) as address:
        yield address


@pytest.fixture
def page(browser, address):
    """The page, connected."""
    return open_page(browser, address)


class served:  # noqa: N801 (a context manager, used as one)
    """Serves an export until the block is left."""

    def __init__(self, export):
        port = free_port()
        flags = f"--export_dir={export} --port={port} --grpc_port=-1 --cors"
        self._server = background(f"{shlex.join(python())} -m seqclf.serve {flags}", export.parent)
        self._address = f"http://127.0.0.1:{port}/v1/models/seqclf"

    def __enter__(self):
        self._server.__enter__()
        return self._address

    def __exit__(self, *error):
        return self._server.__exit__(*error)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A CSV file: columns in another order, rows in none, one value missing; one more column."""
    rng = np.random.default_rng(3)
    rows = [
        {
            "vib": rng.random(),
            "state": state,
            "t": t,
            "room": "x",
            "run": run,
            "temp": 8 * rng.random(),
        }
        for run, state, steps in [("b 2", "busy", 7), ("a,1", "calm", 4), ("c", "off", 5)]
        for t in range(steps)
    ]
    frame = pd.DataFrame(rows).sample(frac=1, random_state=0)
    frame.loc[frame.index[4], "vib"] = np.nan
    path = tmp_path_factory.mktemp("table") / "series.csv"
    frame.to_csv(path, index=False)
    return path


def choose_file(page, path):
    page.find_element(By.ID, "file").send_keys(str(path))
    until(page, lambda: not busy(page, "series-panel") and is_read(page))


def paste(page, table, wait=True):
    """Puts a text where a table is pasted."""
    script = """const field = document.getElementById('table'); field.value = arguments[0];
        field.dispatchEvent(new Event('input'));"""
    page.execute_script(script, table)
    if wait:
        until(page, lambda: is_read(page))


def is_read(page):
    return (
        text(page, "table-problem") or text(page, "sequence-problem") or text(page, "series-answer")
    )


def pick(page, name):
    options = page.find_elements(By.CSS_SELECTOR, "#sequence option")
    next(option for option in options if option.text == name).click()
    until(page, lambda: not busy(page, "series-panel"))


def bars(page):
    """Returns what the bars show: class → probability in %."""
    items = page.find_elements(By.CSS_SELECTOR, "#series-bars li")
    shown = [item.text.split("\n") for item in items]
    return {name: float(share.split()[0]) for name, share in shown}


def series(path, name):
    """Returns a sequence of the CSV file as pandas reads it, `[T, 2]`."""
    frame = pd.read_csv(path)
    return frame[frame.run == name].sort_values("t")[["temp", "vib"]].to_numpy()


def asked(address, signature, x):
    body = {"signature_name": signature, "inputs": {"inputs": [x.tolist()], "lengths": [len(x)]}}
    outputs = predict(address, json.loads(json.dumps(body)))["outputs"]
    if isinstance(outputs, list):
        return np.array(outputs[0])
    return {key: np.array(value[0]) for key, value in outputs.items()}


def go_to(page, step):
    script = "const s = document.getElementById('series-step'); s.value = arguments[0];"
    page.execute_script(script + "s.dispatchEvent(new Event('input'))", step)


def points(path):
    """Returns the points of an SVG path: time step → height from 0 (bottom) to 1."""
    found = re.findall(r"[ML]([\d.]+) ([\d.-]+)", path.get_attribute("d"))
    return {float(x) - 0.5: (94 - float(y)) / 88 for x, y in found}


def test_it_says_what_predict_says(page, export, table):
    assert "sequences of any length, 2 numbers at each time step" in text(page, "status")
    assert page.find_element(By.ID, "series-tab").get_attribute("aria-selected") == "true"
    assert "“run”" in text(page, "expected") and "temp, vib" in text(page, "expected")
    choose_file(page, table)
    assert text(page, "table-source") == "series.csv"
    assert "not read: room" in text(page, "table-notes")
    scores = table.parent / "scores.csv"
    seqclf("predict", f"--model={export}", table, f"--out={scores}")
    with scores.open(newline="") as file:
        expected = {row["id"]: row for row in csv.DictReader(file)}
    options = page.find_elements(By.CSS_SELECTOR, "#sequence option")
    assert [option.text for option in options] == list(expected)
    for name, row in expected.items():
        pick(page, name)
        shown = bars(page)
        assert list(shown) == list(CLASSES)
        for each, share in shown.items():
            assert share == pytest.approx(100 * float(row[f"p_{each}"]), abs=0.06)
        assert text(page, "series-answer") == row["class"]
        assert f"The whole series: {row['class']} (" in text(page, "series-whole")
        assert f"In the table: {row['label']}." in text(page, "series-whole")


def test_the_probabilities_after_each_step(page, address, table):
    choose_file(page, table)
    pick(page, "b 2")
    x = series(table, "b 2")
    expected = asked(address, "trace", x)  # [T, C]
    lines = page.find_elements(By.CSS_SELECTOR, "#chances .line")
    assert [line.get_attribute("class") for line in lines] == [
        f"line colour-{i}" for i in (1, 2, 3)
    ]
    for line, shares in zip(lines, expected.T, strict=True):
        np.testing.assert_allclose([*points(line).values()], shares, atol=2e-4)
        assert list(points(line)) == list(range(7))
    for step in (1, 4):
        go_to(page, step)
        assert text(page, "series-step-shown") == f"{step} of 7 ({step - 1})"
        shown = bars(page)
        assert [*shown.values()] == pytest.approx(100 * expected[step - 1], abs=0.06)
        assert text(page, "series-answer") == CLASSES[expected[step - 1].argmax()]


def test_the_series_is_drawn_and_told(page, table):
    choose_file(page, table)
    names = pd.read_csv(table)
    with_gap = names[names.vib.isna()].run.item()
    pick(page, with_gap)
    x = series(table, with_gap)
    strips = page.find_elements(By.CSS_SELECTOR, "#strips .strip")
    assert len(strips) == 2
    for strip, values in zip(strips, x.T, strict=True):
        drawn = points(strip.find_element(By.TAG_NAME, "path"))
        seen = np.flatnonzero(~np.isnan(values))
        assert list(drawn) == seen.tolist()
        low, high = np.nanmin(values), np.nanmax(values)
        share = (values[seen] - low) / (high - low)
        np.testing.assert_allclose([*drawn.values()], share, atol=2e-4)
    words = page.execute_script("return document.getElementById('series-words').textContent")
    assert words.startswith(f"2 features over {len(x)} time steps. temp begins at {x[0, 0]:.4g}")
    assert f"goes from {np.nanmin(x[:, 1]):.4g} to {np.nanmax(x[:, 1]):.4g}, 1 missing." in words
    for name in ("strips", "chances", "series-units"):
        element = page.find_element(By.ID, name)
        assert element.aria_role in ("img", "image") and element.accessible_name
        described = element.get_attribute("aria-describedby")
        assert page.execute_script(f"return document.getElementById('{described}').textContent")
    assert text(page, "stretches").startswith("The most probable class: ")


def test_a_line_is_broken_where_a_value_is_missing(page):
    script = "return linePath([1, NaN, 3, 2, NaN], 1, 3)"
    assert page.execute_script(script) == "M0.5 94.00h0M2.5 6.00h0L3.5 50.00"
    assert page.execute_script("return linePath([7, 7], 7, 7)") == "M0.5 50.00h0L1.5 50.00"


def test_stretches_in_words(page):
    script = "return stretchesInWords(arguments[0], ['calm', 'busy'])"
    shares = [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.8, 0.2]]
    assert page.execute_script(script, shares) == (
        "The most probable class: calm after step 1, busy after steps 2 to 3, calm after step 4."
    )


def test_states_and_gates(page, address, table):
    choose_file(page, table)
    pick(page, "c")
    expected = asked(address, "trace_gates", series(table, "c"))
    page.find_element(By.CSS_SELECTOR, "#series-layer option[value='2']").click()
    options = page.find_elements(By.CSS_SELECTOR, "#series-part option")
    assert {option.text for option in options} == {"update gate", "reset gate", "state"}
    page.find_element(By.CSS_SELECTOR, "#series-part option[value=reset_gate]").click()
    found = pixels(page, "series-units")
    gates = expected["reset_gate_2"].T  # [H, T]
    assert found.shape == (4, 5, 4)
    shades = np.stack(
        [np.interp(4 * gates, range(5), each) for each in zip(*GATE, strict=True)], -1
    )
    np.testing.assert_allclose(found[..., :3], shades, atol=1)
    assert "reset gate of layer 2: 4 units over 5 time steps" in text(page, "units-words")


def test_by_the_keyboard_and_the_pointer(page, table):
    choose_file(page, table)
    slider = page.find_element(By.ID, "series-step")
    before = text(page, "series-step-shown")
    slider.send_keys(Keys.ARROW_LEFT)
    assert text(page, "series-step-shown") != before
    count = int(slider.get_attribute("max"))
    assert slider.get_attribute("aria-valuetext").startswith(f"step {count - 1} of {count}: temp ")
    page.find_element(By.ID, "next-sequence").send_keys(Keys.ENTER)
    until(page, lambda: not busy(page, "series-panel"))
    chosen = "return document.getElementById('sequence').selectedIndex"
    assert page.execute_script(chosen) == 1
    plot = page.find_element(By.CSS_SELECTOR, "#chances")
    count = int(slider.get_attribute("max"))
    right = (0.5 - 1.5 / count) * plot.rect["width"]  # the middle of the last step but one
    ActionChains(page).move_to_element_with_offset(plot, int(right), 0).click().perform()
    assert text(page, "series-step-shown").startswith(f"{count - 1} of {count} ")
    mark = page.find_element(By.CSS_SELECTOR, "#chances-part .at-mark").rect
    assert mark["x"] + 1 == pytest.approx(
        plot.rect["x"] + (count - 1.5) / count * plot.rect["width"], abs=2
    )


def test_a_single_sequence_needs_no_id(page, address):
    x = np.array([[1.5, 0.25], [3.0, 0.5], [2.0, 0.75]])
    expected = 100 * asked(address, "serving_default", x)["probabilities"]
    rows = "\n".join(f"{t},{temp},{vib}" for t, (temp, vib) in enumerate(x))
    for table in (
        f"t,temp,vib\n{rows}\n",
        "1.5,0.25\n3,.5\n2e0,0.75",
        "1.5\t0.25\n3\t0.5\n2\t0.75",
    ):
        paste(page, table)
        until(page, lambda: not busy(page, "series-panel"))
        assert [*bars(page).values()] == pytest.approx(expected, abs=0.06)
        assert not page.find_element(By.ID, "picker").is_displayed()
        assert "one sequence" in text(page, "table-notes")
        page.find_element(By.ID, "forget").click()
        assert not page.find_element(By.ID, "series").is_displayed()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("run,t,temp\na,0,1\n", "There is no column “vib”. The columns are: run, t, temp"),
        ("run,t,Temp,vib\na,0,1,2\n", "no column “temp” (but “Temp”)"),
        ("run,t,temp,vib\n", "first line and no rows"),
        ("run,temp,vib\na,0,1\n", "no column “t”, by which the rows were sorted"),
        ("run,t,temp,vib\na,0,1,2\na,1,x,2\n", "Line 3: the column “temp” must hold numbers"),
        ('run,t,temp,vib\na,0,"1,5",2\n', "If the comma is a decimal mark, say so"),
        ("run,t,temp,vib\na,0,1,2\na,0,3,2\n", "Line 3: the sequence “a” has this time in “t”"),
        ("run,t,temp,vib\na,0,1,2\n,1,3,2\n", "Line 3 has nothing in the column “run”"),
        ("run,t,temp,vib\na,now,1,2\n", "Line 2: the column “t” must hold numbers, or dates"),
        ("run,t,temp,vib\na,1,1,2\na,2024-05-31,1,2", "Line 3: the column “t” has numbers above"),
        ("run,t,temp,vib\na,0,1e99,2\n", "must hold finite numbers (in float32)"),
        ("run,t,temp,vib\na,0,1\n", "Line 2 has 3 values and the first line 4"),
        ("run,t,temp,vib,temp\na,0,1,2,3\n", "Two columns are called “temp”"),
        ('run,t,temp,vib\n"a,0,1,2\n', "Line 2: a quote that opens is never closed"),
        ("a,0,1,2\nb,0,1,2\n", "The first line must name the columns"),
    ],
)
def test_what_does_not_fit_is_said(page, table, said):
    paste(page, table)
    assert said in text(page, "table-problem")
    assert not page.find_element(By.ID, "series").is_displayed()
    paste(page, "run,t,temp,vib\na,0,1,2\n", wait=False)  # and a table that is mended is read
    until(page, lambda: text(page, "series-step-shown") == "1 of 1 (0)")
    assert not text(page, "table-problem")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04abc", "no CSV file but an Excel file"),
        (b"\x1f\x8babc", "packed with gzip"),
        (b"run,t\xe9\n", "no text in UTF-8"),
        (b"run\0,t\n", "zero byte"),
    ],
)
def test_files_that_are_no_tables(page, tmp_path, content, said):
    file = tmp_path / "other.csv"
    file.write_bytes(content)
    choose_file(page, file)
    assert said in text(page, "table-problem")


def test_a_file_is_dropped(page, table):
    script = """
        const transfer = new DataTransfer();
        transfer.items.add(new File([arguments[0]], 'dropped.csv'));
        const at = document.getElementById('expected');
        for (const type of ['dragover', 'drop']) {
          const event = new DragEvent(
            type, {dataTransfer: transfer, bubbles: true, cancelable: true});
          at.dispatchEvent(event);
          if (!event.defaultPrevented) throw Error('the browser would open the file');
        }"""
    page.execute_script(script, table.read_text())
    until(page, lambda: is_read(page))
    assert text(page, "table-source") == "dropped.csv"
    assert len(page.find_elements(By.CSS_SELECTOR, "#sequence option")) == 3


def test_columns_can_be_chosen(page, address):
    x = np.array([[1.5, 0.25], [3.0, 0.5]])
    paste(page, "who;when;heat;shake\nz;1;1,5;0,25\nz;2;3;0,5\n")
    assert "no column “temp”, “vib”" in text(page, "table-problem")
    features = page.find_element(By.ID, "features")
    features.send_keys("heat, shake", Keys.ENTER)
    until(page, lambda: "no column “t”" in text(page, "table-problem"))
    for name, value in (("time-column", "when"), ("id-column", "who"), ("decimal", ",")):
        page.find_element(By.CSS_SELECTOR, f"#{name} option[value='{value}']").click()
    until(page, lambda: text(page, "series-step-shown") == "2 of 2 (2)")
    expected = asked(address, "serving_default", x)["probabilities"]
    assert [*bars(page).values()] == pytest.approx(100 * expected, abs=0.06)
    names = page.find_elements(By.CSS_SELECTOR, "#strips .strip-name")
    assert [name.text for name in names] == ["heat", "shake"]
    assert "separated by semicolon" in text(page, "table-notes")


def test_values_of_another_scale_and_long_sequences_are_pointed_out(page):
    paste(page, "temp,vib\n" + "17,0.5\n" * 13)
    page.find_element(By.CSS_SELECTOR, "#time-column option[value='']").click()
    until(page, lambda: text(page, "sequence-warning"))
    warning = text(page, "sequence-warning")
    assert "from 0.5 to 17, and those of the training data went from 0 to 8" in warning
    assert (
        "more than twice as long as the longest one of the training data (6 time steps)" in warning
    )
    paste(page, "t,temp,vib\n0,15,0.5\n", wait=False)  # within the range and its width
    until(page, lambda: not text(page, "sequence-warning"))


def test_markup_in_a_table_is_text(page):
    name = "<img src=x onerror=document.title='broken'>"
    paste(page, f'run,t,temp,vib\n"{name}",0,1,2\nb,0,1,2\n')
    option = page.find_element(By.CSS_SELECTOR, "#sequence option")
    assert option.get_attribute("textContent") == name
    assert page.title != "broken" and not page.find_elements(By.TAG_NAME, "img")


LONG = TableLayout("long", id="id", time="t", label="y", values=("b", "a"))
TABLES = [
    ("id,t,a,b,y\nu,0,1,2,p\nu,1,3,4,p\nv,0,5,6,q\n", LONG),
    ("id,t,a,b,y\nu,2,1,2,p\nv,0,5,6,q\nu,1,3,,p\n", LONG),  # apart, out of order, a gap
    ('id,t,a,b,y\r\n"u, ""x""",0,1,2,"p\nq"\r\n\r\n"v",0, 3 ,4,r\r\n', LONG),
    (" id , t ,a,b,y\n u ,10,1.,+2,p\nu,9,.5,-1e-3,p\n", LONG),
    ("id,t,a,b,y\nu,9007199254740993,1,2,p\nu,9007199254740992,3,4,p\n", LONG),
    ("id,t,a,b\nu,2024-05-31,1,2\nu,2024-05-30,3,4\n", LONG),
    ("id,t,a,b\nu,2024-05-31 17:00:00.5,1,2\nu,2024-05-31T17:00:00.25,3,4\n", LONG),
    ("id,t,a,b\nu,2024-05-31T17:00:00Z,1,2\nu,2024-05-31T16:00:00Z,3,4\n", LONG),
    ("id,t,a,b\nu,17:00:30,1,2\nu,09:00:31,3,4\n", LONG),
    ("id,t,a,b\nu,1,NA,2\nu,2,null,nan\nu,3,4,None\n", LONG),
    ("id\tt\ta\tb\nu\t1\t1,5\t2\nu\t2\t,25\t3\n",
     TableLayout("long", id="id", time="t", values=("a", "b"), separator="\t", decimal=",")),
    ("id,t,a,b\n" + "".join(f"{i},{t},{t},0\n" for i, n in (("u", 9), ("v", 3), ("w", 4))
                            for t in range(n)),
     TableLayout("long", id="id", time="t", values=("a", "b"), window=4, stride=2)),
    ("t,a,b\n" + "".join(f"{t},{t},0\n" for t in (3, 1, 2, 0, 4)),
     TableLayout("long", time="t", values=("a", "b"), window=2, stride=3)),
    ("id,y,c0,c1,c2\nu,p,1,2,3\nv,q,4,,\nw,p,5,,6\n",
     TableLayout("wide", id="id", label="y", values=("c0", "c1", "c2"))),
    ("c0|c1\n1|2\n3|\n", TableLayout("wide", values=("c0", "c1"), separator="|")),
]  # fmt: skip


@pytest.mark.parametrize(("table", "layout"), TABLES)
def test_tables_are_read_as_seqclf_reads_them(page, tmp_path, table, layout):
    (tmp_path / "table.csv").write_text(table, newline="")
    expected = list(open_table(tmp_path / "table.csv", layout, labelled=False))
    script = """
        const [text, fields, features] = arguments;
        const training = trainingLayout({ table: fields });
        const table = csvTable(text, '', training.separator);
        const layout = layoutOf(table, training, {}, features, []);
        return sequencesOf(table, layout, []).map(({ id, x, labels }) => [
          id, x.map((row) => row.map((each) => Number.isNaN(each) ? null : each)), labels?.[0]]);"""
    fields = {name: getattr(layout, name) for name in TableLayout.__dataclass_fields__}
    features = 1 if layout.form == "wide" else len(layout.values)
    found = page.execute_script(script, table, fields, features)
    assert [each[0] for each in found] == [each.id for each in expected]
    for (_, x, label), sequence in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.array(x, float), sequence.x, rtol=1e-6)
        if sequence.label is not None:
            assert label == sequence.label


def test_wide_tables_and_lengths_that_do_not_fit(browser, tmp_path):
    layout = TableLayout("wide", id="name", values=("c0", "c1", "c2"))
    one = {"shift": (0.0,), "scale": (1.0,), "fill": (0.0,), "feature_names": ()}
    shape = {"raw_shape": (3, 1), "variable_length": False, "missing": "error", "fill": ()}
    write_series_export(tmp_path / "export", layout, **{**one, **shape})
    file = tmp_path / "wide.csv"
    file.write_text("name,c0,c1,c2\nu,1,2,3\nv,4,5,\nw,3,,1\n")
    with served(tmp_path / "export") as address:
        page = open_page(browser, address)
        assert "c0, c1, c2" in text(page, "expected")
        choose_file(page, file)
        body = {"inputs": {"inputs": [[[1], [2], [3]]]}}
        expected = predict(address, body)["outputs"]["probabilities"][0]
        assert [*bars(page).values()] == pytest.approx(100 * np.array(expected), abs=0.06)
        pick(page, "v")
        assert "Sequence “v”: This model reads sequences of 3 time steps" in text(
            page, "sequence-problem"
        )
        assert not page.find_element(By.ID, "sequence-shown").is_displayed()
        pick(page, "w")
        assert "missing at time step 2, and this model takes no missing" in text(
            page, "sequence-problem"
        )
        pick(page, "u")
        assert not text(page, "sequence-problem")
        assert page.find_element(By.ID, "sequence-shown").is_displayed()


def test_a_model_of_both_directions_gives_its_answer_alone(browser, tmp_path):
    write_series_export(tmp_path / "export", None, {"bidirectional": True})
    with served(tmp_path / "export") as address:
        page = open_page(browser, address)
        x = np.array([[1.0, 0.5], [2.0, 0.25]])
        paste(page, "id,u,v\na,1,.5\na,2,.25\nb,3,1\n")
        until(page, lambda: not busy(page, "series-panel"))
        outputs = asked(address, "serving_default", x)
        assert text(page, "series-answer") == str(outputs["class_name"])
        shown = [*bars(page).values()]
        assert shown == pytest.approx(100 * outputs["probabilities"], abs=0.06)
        assert "in both directions" in text(page, "no-steps")
        for name in ("chances", "series-units"):
            assert not page.find_element(By.ID, name).is_displayed()
        assert "By its name, the column “id” is taken for" in text(page, "table-notes")


def test_a_model_of_time_steps(browser, tmp_path):
    write_series_export(tmp_path / "export", LAYOUT, per_step=True)
    with served(tmp_path / "export") as address:
        page = open_page(browser, address)
        paste(page, "run,t,state,temp,vib\na,0,calm,1,.5\na,1,busy,2,.25\n")
        until(page, lambda: not busy(page, "series-panel"))
        x = np.array([[1.0, 0.5], [2.0, 0.25]])
        outputs = asked(address, "serving_default", x)
        for step in (1, 2):
            go_to(page, step)
            shown = [*bars(page).values()]
            assert shown == pytest.approx(100 * outputs["probabilities"][step - 1], abs=0.06)
            assert text(page, "series-answer") == str(outputs["class_name"][step - 1])
            assert text(page, "series-whole") == f"In the table: {['calm', 'busy'][step - 1]}."


def test_a_server_that_tells_nothing_of_the_training_data(page, address):
    """TensorFlow Serving does not tell it: the page then asks the Classify API for class names."""
    script = """
        const done = arguments[1];
        const rest = new Rest(arguments[0]);
        rest.metadata().then(async ({ signatures }) => {
          const model = new SeriesModel(rest, signatures, {});
          await model.prepare();
          const { answer } = await model.read([[1, NaN], [2, 0.5]]);
          done([model.classes, answer.share, model.layout.known]);
        }).catch((error) => done(error.message));"""
    classes, share, known = page.execute_async_script(script, address)
    x = np.array([[1.0, np.nan], [2.0, 0.5]])
    assert tuple(classes) == CLASSES and not known
    assert share == pytest.approx(asked(address, "serving_default", x)["probabilities"].max())


def test_the_other_tabs_say_what_the_model_is(page):
    page.find_element(By.ID, "draw-tab").click()
    said = "The connected model is a classifier of sequences of numbers: it reads no pictures."
    assert text(page, "no-pictures") == said
    page.find_element(By.ID, "write-tab").click()
    assert "sequences of numbers: it writes no text" in text(page, "no-text")


def test_many_features_are_a_map(page):
    script = """
        const x = [[0, 5, NaN], [10, 5, 1], [5, 5, 2]];
        drawFeatureMap(document.getElementById('feature-map'), x);"""
    page.execute_script(script)
    found = pixels(page, "feature-map")[..., :3]
    middle, grey = (33, 145, 140), (128, 128, 128)
    assert [tuple(each) for each in found[0]] == [GATE[0], GATE[4], middle]
    assert [tuple(each) for each in found[1]] == [middle] * 3
    assert [tuple(each) for each in found[2]] == [grey, GATE[0], GATE[4]]
