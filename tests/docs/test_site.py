"""The documentation site: pages, links, generated text, figures. `make docs` builds it."""

import csv
import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import yaml
from docsite import command_flags, complete, flow, rest_api, switches
from running import ROOT, python, seqclf

DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def test_every_page_is_in_a_toctree():
    pages = {str(path.relative_to(DOCS).with_suffix("")) for path in PAGES}
    pages |= {f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    reached, left = {"index"}, ["index"]
    while left:
        path = DOCS / f"{left.pop()}.md"
        text = path.read_text() if path.is_file() else ""
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            named = {line for line in tree.splitlines() if line and not line.startswith(":")}
            left += named - reached
            reached |= named
    assert reached == pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_what_a_page_links_to_exists(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", FENCED.sub("", page.read_text())):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_public_name_is_in_the_reference():
    import seqclf as package

    text = "".join(path.read_text() for path in (DOCS / "reference").glob("*.md"))
    documented = set(re.findall(r"^\.\. auto(?:class|function):: (\S+)$", text, re.MULTILINE))
    names = {name.rsplit(".", 1)[-1] for name in documented}
    assert set(package.__all__) - {"__version__"} <= names
    from seqclf import config, layers, models
    from seqclf.serving import client

    for module in (layers, models):
        missing = {name for name in module.__all__ if f"{module.__name__}.{name}" not in documented}
        assert not missing
    assert {"Client", "VersionStatus", "Signature", "TensorInfo", "ScoredText"} <= names
    assert client.connect.__name__ in names
    constants = {"CRITERIA", "SCHEMA", "ConfigLike"}
    assert {f"seqclf.config.{name}" for name in set(config.__all__) - constants} <= documented


@pytest.mark.parametrize("command", ["train", "predict", "shard"])
def test_the_flags_of_a_command_are_those_that_its_help_lists(command):
    listed = set(re.findall(r"^  --(?:\[no\])?([\w.]+)", seqclf(command, "--help"), re.MULTILINE))
    found = command_flags.described(command)["flags"]
    assert {each["name"] for each in found} == listed
    assert all(each["help"] for each in found)


def test_flags_say_their_defaults_and_what_they_take():
    flags = {each["name"]: each for each in command_flags.described("serve")["flags"]}
    assert flags["port"]["default"] == "8501"
    assert flags["port"]["allowed"] == "an integer from 0 to 65535"
    assert flags["cors"]["kind"] == "bool"
    flags = {each["name"]: each for each in command_flags.described("evaluate")["flags"]}
    assert flags["split"]["allowed"] == "one of train, validation, test"


def test_the_rest_page_has_each_path_status_and_schema():
    api = yaml.safe_load((DOCS / "openapi.yaml").read_text())
    page = rest_api.page()
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            section = page.split(f"### `{method.upper()} {path}`\n", 1)[1].split("\n### ", 1)[0]
            assert operation["summary"] in section
            assert set(re.findall(r"^\| `(\d+)` \|", section, re.M)) == set(operation["responses"])
    sections = page.split("\n## Schemas\n", 1)[1]
    assert set(re.findall(r"^### (\w+)$", sections, re.M)) == set(api["components"]["schemas"])


def test_links_to_notebooks_are_those_of_the_site():
    assert complete("[1](../notebooks/1_gru_by_hand.ipynb)", "explain") == (
        "[1](notebooks/1_gru_by_hand.ipynb)"
    )
    assert complete("[d](../docs/data.md)", "notebooks/4_your_own_sequences") == "[d](../data.md)"


def texts(svg):
    """Returns the texts of a figure: Matplotlib writes each as a comment beside its shapes."""
    return re.findall(r"<!-- (.*?) -->", svg.read_text())


def test_the_figures_are_those_that_the_script_draws(tmp_path):
    import draw

    draw.main(tmp_path)
    drawn = sorted(tmp_path.iterdir())
    assert drawn
    for path in drawn:
        assert texts(path) == texts(draw.IMAGES / path.name), "mend it: python docs/draw.py"
        assert len(texts(path)) > 5


def test_the_table_of_the_switches_is_what_the_cells_compute():
    assert switches.table() in (DOCS / "switches.md").read_text()


def test_gates_as_switches_make_the_cells_that_the_page_names():
    found = {(s.cell, s.name): switches.outcome(s) for s in switches.SETTINGS}
    h, plain, slope = switches.START, [], 1.0
    for x in switches.INPUTS:
        h = np.tanh(switches.W * x + switches.U * h)
        slope *= switches.U * (1 - h**2)
        plain.append(h)
    for key in (("rnn", "no gate"), ("mgu", "f = 1"), ("gru", "z = 0, r = 1")):
        np.testing.assert_allclose(found[key].memory, plain, rtol=1e-12)
        np.testing.assert_allclose(found[key].gradient, slope, rtol=1e-12)
    for key in (("mgu", "f = 0"), ("gru", "z = 1, r = 1"), ("lstm", "i = 0, f = 1, o = 1")):
        assert found[key] == switches.Outcome((switches.START,) * 5, 1.0)
    alone = found["gru", "z = 0, r = 0"]
    np.testing.assert_allclose(alone.memory, np.tanh(switches.INPUTS), rtol=1e-12)
    assert alone.gradient == 0
    c, added, small = switches.START, [], 1e-6
    for x in switches.INPUTS:
        c += np.tanh(x + switches.U * np.tanh(c))
        added.append(c)
    key = ("lstm", "i = 1, f = 1, o = 1")
    np.testing.assert_allclose(found[key].memory, added, rtol=1e-12)
    ends = []
    for c in (switches.START - small, switches.START + small):
        for x in switches.INPUTS:
            c += np.tanh(x + switches.U * np.tanh(c))
        ends.append(c)
    np.testing.assert_allclose(found[key].gradient, (ends[1] - ends[0]) / (2 * small), rtol=1e-6)


@pytest.mark.parametrize("scale", flow.SCALES)
def test_without_tanh_the_norm_of_the_product_is_a_power(scale):
    expected = scale ** np.arange(1, flow.STEPS + 1)
    np.testing.assert_allclose(flow.norms(scale, "linear"), expected, rtol=1e-9)
    assert (flow.norms(scale, "tanh") < expected).all()


def test_a_jacobian_is_the_derivative_of_a_time_step():
    U = flow.gaussian(5)
    ((found,),) = (flow.jacobians(U, "tanh", steps=1),)
    rng = np.random.default_rng(1)
    h, x = rng.normal(0, 0.3, (1, 5)), rng.normal(0, 0.3, (1, 5))
    small = 1e-6
    columns = [
        (np.tanh(x + (h + e) @ U) - np.tanh(x + (h - e) @ U))[0] / (2 * small)
        for e in small * np.eye(5)
    ]
    np.testing.assert_allclose(found, np.transpose(columns), atol=1e-8)


@pytest.mark.parametrize(
    "name",
    [
        "own_csv",
        pytest.param("missing_values", marks=pytest.mark.slow),
        pytest.param("unbalanced_classes", marks=pytest.mark.slow),
    ],
)
def test_the_commands_of_how_to_guides_run(name, tmp_path):
    """Those of the guides to the file that the first guide makes."""
    short = " --config.steps=20 --config.jit_compile=false"
    own = (DOCS / "howto" / "own_csv.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```", own, re.MULTILINE | re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    page = (DOCS / "howto" / f"{name}.md").read_text()
    commands = re.findall(r"^python -m seqclf.*csv.*$", page, re.MULTILINE)
    assert commands
    for command in ["python program.py", *commands]:
        if "seqclf.train" in command:
            command = command.replace(" --config.steps=600", "") + short
        command = command.replace("python ", f"{shlex.join(python())} ", 1)
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, command + done.stdout + done.stderr
    if name == "own_csv":
        with (tmp_path / "own_scores.csv").open(newline="") as file:
            assert len(list(csv.reader(file))) == 1 + 97


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site: `$SEQCLF_SITE`, or built here, in which a warning fails."""
    pytest.importorskip("sphinx", reason="Sphinx is not installed: make docs")
    pytest.importorskip("furo", reason="the theme furo is not installed: make docs")
    pytest.importorskip("myst_nb", reason="myst-nb is not installed: make docs")
    if built := os.environ.get("SEQCLF_SITE"):
        return Path(built).resolve()
    folder = tmp_path_factory.mktemp("site")
    flags = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"]
    places = ["--doctree-dir", folder / "read", DOCS, folder / "html"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "--builder", "html", *flags, *places],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr
    return folder / "html"


class Page(HTMLParser):
    """The links of an HTML page, the files that it loads, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("script", "img", "iframe", "source") and found.get("src"):
            self.loaded.append(found["src"])
        if tag == "link" and found.get("href") and found.get("rel") != "canonical":
            self.loaded.append(found["href"])


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


@pytest.mark.docs
def test_every_page_is_built(pages, site):
    expected = {path.relative_to(DOCS).with_suffix(".html") for path in PAGES}
    assert expected <= {path.relative_to(site) for path in pages}
    assert len([path for path in pages if path.parent.name == "notebooks"]) == 5


@pytest.mark.docs
def test_links_within_the_site_lead_somewhere(pages):
    checked = 0
    for path, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = unquote(link.partition("?")[0]).partition("#")
            reached = (path.parent / target).resolve() if target else path
            assert reached.exists(), f"{path.name} links to {link}"
            if anchor and reached in pages and anchor not in ("", "top"):
                assert anchor in pages[reached].anchors, f"{path.name} links to {link}"
                checked += 1
    assert checked > 500


@pytest.mark.docs
def test_a_page_loads_nothing_from_elsewhere(pages):
    for path, page in pages.items():
        for source in page.loaded:
            assert not re.match(r"(https?:)?//", source), f"{path.name} loads {source}"
            if not source.startswith(("data:", "#")):
                assert (path.parent / unquote(source.partition("?")[0])).exists(), source


@pytest.mark.docs
def test_notebooks_are_shown_with_their_stored_outputs(site):
    page = (site / "notebooks" / "3_gates_and_gradients.html").read_text()
    assert page.count("<img") > 3
