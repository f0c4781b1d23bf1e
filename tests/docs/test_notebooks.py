"""Every notebook runs from a clean kernel; its outputs are kept, small.

`SEQCLF_KEEP_OUTPUTS=1 make notebooks` puts the outputs of this run in the place of those kept.
"""

import base64
import io
import os
from pathlib import Path

import pytest
from PIL import Image

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
MOST = 150_000  # bytes of a notebook with its outputs


def cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.notebooks
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_a_clean_kernel(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    for cell in cells(notebook):
        cell.outputs, cell.execution_count = [], None
    client = nbclient.NotebookClient(
        notebook, timeout=170, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    if os.environ.get("SEQCLF_KEEP_OUTPUTS"):
        keep(notebook, path)


def keep(notebook, path):
    """Writes a notebook without TensorFlow's log and the times, its pictures in 64 colours."""
    for cell in cells(notebook):
        cell.metadata.pop("execution", None)
        cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
                file = io.BytesIO()
                colours = picture.quantize(64, dither=Image.Dither.NONE)
                colours.save(file, "PNG", optimize=True)
                data["image/png"] = base64.b64encode(file.getvalue()).decode()
    nbformat.write(notebook, path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_kept_and_small(path):
    outputs = [each for cell in cells(nbformat.read(path, as_version=4)) for each in cell.outputs]
    assert any("image/png" in each.get("data", {}) for each in outputs)
    assert not [each for each in outputs if each.output_type == "error"]
    assert path.stat().st_size < MOST, f"{path.name} is {path.stat().st_size:,} bytes"


def test_there_are_notebooks():
    assert NOTEBOOKS
