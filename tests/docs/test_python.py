"""The blocks of docs/python.md run, one after the other in one process."""

import ast
import json
import re

import pytest
from running import ROOT

import seqclf as package

PAGE = (ROOT / "docs" / "python.md").read_text()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_the_blocks_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        exec(compile(block, "docs/python.md", "exec"), names)
    said = capsys.readouterr().out
    assert "[N, T, 3] (temp, vib, press)" in said  # the last block's message
    assert (tmp_path / "models/mine/1/saved_model.pb").is_file()


def test_the_table_has_each_public_name():
    table = PAGE.partition("## Data")[0]
    told = set(re.findall(r"`seqclf\.(\w+)", table))
    types = {"Predictions", "TrainedRun", "__version__"}
    assert set(package.__all__) - types <= told


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_use_public_names_only(path):
    public = tuple(
        re.findall(r"`seqclf\.([\w.]+)`", PAGE.partition("## Names")[2].split("\n\n")[1])
    )
    assert "serving.client" in public
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    for node in ast.walk(ast.parse("\n".join("".join(cell["source"]) for cell in cells))):
        if isinstance(node, ast.Attribute):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            assert not private, ast.unparse(node)
        for module in imported(node):
            name = module.removeprefix("seqclf").removeprefix(".")
            assert not name or any(f"{name}.".startswith(f"{each}.") for each in public), module


def imported(node):
    """Returns the modules of seqclf that a statement imports."""
    names = []
    if isinstance(node, ast.ImportFrom):
        names = [node.module]
    elif isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    return [name for name in names if name.split(".")[0] == "seqclf"]
