"""The files that hosting sites and tools read: workflow, hooks, templates, citation."""

import re

import pytest
import yaml
from running import ROOT

from seqclf import __version__

MAKEFILE = (ROOT / "Makefile").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
NIGHTLY = {"make test-slow", "make test-runtime"}


def targets(commands):
    return set(re.findall(r"\bmake ([a-z-]+)", commands))


def commands_of(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_workflow_calls_what_ci_run_calls_by_targets_that_exist():
    calls = "\n".join(line for job in WORKFLOW["jobs"].values() for line in commands_of(job))
    missing = {name for name in targets(calls) if f"\n{name}:" not in MAKEFILE}
    assert not missing
    ci_run = re.sub(r"#.*", "", (ROOT / ".ci/run").read_text())
    assert targets(ci_run) and targets(ci_run) <= targets(calls)


def test_jobs_run_make_targets_and_nothing_else():
    """So everything that CI does can be done by hand. The one exception installs another Keras."""
    for name, job in WORKFLOW["jobs"].items():
        others = [
            line for line in commands_of(job) if not re.fullmatch(r"make [a-z-]+( \S+)?", line)
        ]
        assert len(others) == (name == "test"), others
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", each) for each in used)
        assert 0 < job["timeout-minutes"] <= 360
        nightly = bool(NIGHTLY & set(commands_of(job)))
        assert ("schedule" in job.get("if", "")) == nightly
    # YAML 1.1 reads the key `on` as true
    assert WORKFLOW[True]["schedule"] and WORKFLOW["permissions"] == {"contents": "read"}


def test_the_matrix_is_the_declared_range():
    matrix = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == re.findall(r"Python :: (3\.\d+)", PYPROJECT)
    low, high = re.search(r'"keras>=3\.(\d+),<3\.(\d+)"', PYPROJECT).groups()
    kerases = [each["keras"] for each in matrix["include"] if "keras" in each]
    assert kerases == [f"3.{low}.*", f"3.{int(high) - 1}.*"]
    low, high = re.search(r'"tensorflow>=2\.(\d+),<2\.(\d+)"', PYPROJECT).groups()
    older = [each["tensorflow"] for each in matrix["include"] if "tensorflow" in each]
    assert older == [f"2.{minor}" for minor in range(int(low), int(high) - 1)]
    newest = f"2.{int(high) - 1}"
    assert f"\ntensorflow=={newest}." in (ROOT / "requirements/run.txt").read_text()
    assert WORKFLOW["jobs"]["test"]["env"] == {"TENSORFLOW": "${{ matrix.tensorflow }}"}
    assert f"release of TensorFlow (2.{low} to {newest})" in MAKEFILE
    assert {each["python"] for each in matrix["include"]} <= set(matrix["python"])


def test_the_hooks_are_the_tools_of_make_check():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    hooks = repository["hooks"]
    assert all(hook["language"] == "system" for hook in hooks)
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE).group(1)
    tools = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    # a hook gets the names of the files that changed where make names the folder
    entries = [hook["entry"].replace("--force-exclude", "").strip() for hook in hooks]
    assert entries == [tool.removesuffix(" .") for tool in tools]


@pytest.mark.parametrize("name", ["bug", "idea"])
def test_issue_forms_have_what_the_site_needs(name):
    """Of GitHub's schema for issue forms; a form that breaks it is not offered."""
    form = yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{name}.yml").read_text())
    assert form["name"] and form["description"]
    fields = [each for each in form["body"] if each["type"] != "markdown"]
    assert {each["type"] for each in form["body"]} <= {
        "markdown",
        "textarea",
        "input",
        "checkboxes",
    }
    identities = [each["id"] for each in fields]
    assert len(set(identities)) == len(identities) > 0
    assert all(each["attributes"]["label"] for each in fields)
    assert any(each.get("validations", {}).get("required") for each in fields)


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == __version__
    assert f'license = "{citation["license"]}"' in PYPROJECT
    (author,) = citation["authors"]
    assert f'authors = [{{ name = "{author["name"]}" }}]' in PYPROJECT


def test_no_page_names_an_address_that_the_project_does_not_own():
    for name in ("CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CITATION.cff"):
        text = (ROOT / name).read_text()
        assert not re.search(r"[\w.]+@[\w.]+\.\w+", text)
        hosts = set(re.findall(r"https?://([^/\s)]+)", text))
        assert hosts <= {"arxiv.org"}, name


def test_what_these_pages_link_to_exists():
    for name in ("CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / name).read_text()):
            assert (ROOT / target).exists(), f"{name} links to {target}"
