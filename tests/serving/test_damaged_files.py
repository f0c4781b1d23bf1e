"""Damaged and unsuitable files end in one message that names the file, whatever is wrong.

Everything that commands read is tried: `.npz` and image files, exports and runs.
"""

import contextlib
import itertools
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from damaged_files import damaged, damaged_json, damaged_zip, npz_contents
from file_predictions import predict_file
from hypothesis import given
from hypothesis import strategies as st
from running import ROOT

from seqclf.errors import SeqclfError
from seqclf.inspection.inputs import load_inputs
from seqclf.models.loading import load_trained
from seqclf.serving.manifest import write_card
from seqclf.serving.predicting.opening import open_input
from seqclf.serving.predictor import Predictor
from seqclf.serving.warmup import examples_of
from seqclf.storage.run_directory import Run

SHAPES = {"run": (3, 8, 8), "sequences": (3, 6, 2)}  # of inputs that fit the two runs
NUMBERS = itertools.count()


@contextlib.contextmanager
def one_message(*names):
    """Lets errors pass that commands print as one message; it must name the file or its folder."""
    try:
        yield
    except SeqclfError as error:
        assert any(str(name) in str(error) for name in names), error
        assert len(str(error)) < 2000


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run on images and one on sequences of varying lengths, with their exports."""
    folder = tmp_path_factory.mktemp("runs")
    with tarfile.open(ROOT / "tests/data_of_0_1/runs.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def predictors(runs):
    return {name: Predictor(runs / name / "export") for name in SHAPES}


def warnings_of(path, predictor):
    file = open_input(str(path), predictor.input, predictor.names)
    for _ in file.batches(4):
        pass
    file.warnings()


@pytest.mark.parametrize("name", SHAPES)
@given(data=st.data())
def test_npz_files(runs, predictors, name, data):
    path = runs / f"input-{name}.npz"
    path.write_bytes(data.draw(npz_contents(SHAPES[name])))
    predictor = predictors[name]
    with one_message(path):
        predictions = predict_file(predictor, str(path))
        assert all(np.isfinite(p.probabilities).all() for p in predictions)
    with one_message(path):
        warnings_of(path, predictor)
    with one_message(path):
        list(load_inputs(str(path), predictor.spec, False))


@given(data=st.data())
def test_image_files(runs, predictors, data):
    whole = sorted((runs / "run/samples").glob("*.png"))[0].read_bytes()
    path = runs / f"input{data.draw(st.sampled_from(['.png', '.jpg', '.tif', '']))}"
    path.write_bytes(data.draw(damaged(whole)))
    for predictor in predictors.values():
        with one_message(path):
            predict_file(predictor, str(path), data.draw(st.booleans()))
        with one_message(path):
            warnings_of(path, predictor)
        with one_message(path):
            list(load_inputs(str(path), predictor.spec, False))


def copy_with_damage(data, source, folder, files):
    """Copies a folder, damages one of its files, and returns the copy."""
    copy = Path(shutil.copytree(source, folder / f"copy{next(NUMBERS)}"))
    path = copy / data.draw(st.sampled_from(files))
    content = path.read_bytes()
    choice = data.draw(st.integers(0, 5))
    if choice == 0:
        path.unlink()
    elif path.suffix == ".json" and choice < 4:
        path.write_text(data.draw(damaged_json(content.decode())))
    elif path.suffix == ".keras" and choice < 5:
        path.write_bytes(data.draw(damaged_zip(content)))
    else:
        path.write_bytes(data.draw(damaged(content)))
    return copy


@pytest.mark.parametrize("name", SHAPES)
@given(data=st.data())
def test_exports(runs, tmp_path_factory, name, data):
    version = runs / name / "export" / "1"
    files = sorted(str(p.relative_to(version)) for p in version.rglob("*") if p.is_file())
    copy = copy_with_damage(data, version, tmp_path_factory.mktemp("exports"), files)
    with one_message(copy):
        Predictor(copy)
    shutil.rmtree(copy)


@pytest.mark.parametrize("name", SHAPES)
@given(data=st.data())
def test_runs(runs, tmp_path_factory, name, data):
    files = ["config.json", "dataset.json", "manifest.json", "report.json", "model.keras"]
    source = tmp_path_factory.mktemp("runs")
    for file in files:
        shutil.copy(runs / name / file, source / file)
    card = tmp_path_factory.mktemp("card")
    shutil.copy(runs / name / "export" / "1" / "saved_model.pb", card)
    (card / "assets.extra").mkdir()
    copy = copy_with_damage(data, source, source.parent, files)
    with one_message(copy):
        run = Run(copy)
        _, spec = load_trained(run)
        run.read_manifest()
        if run.report.exists():
            write_card(card, spec, {"report": run.read_report()})
        examples_of(run, spec)
    shutil.rmtree(copy)
