"""`predict --out`: the table, the summary, and what is refused before and while it is written."""

import json
import resource
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from running import python, seqclf
from sklearn.metrics import accuracy_score, f1_score

RUNS = Path(__file__).parents[1] / "data_of_0_1/runs.tar.xz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Exports of sequences [T, 2] and of images, the data of the first, and other examples."""
    folder = tmp_path_factory.mktemp("predict")
    with tarfile.open(RUNS) as archive:
        archive.extractall(folder, filter="data")
    arrays = dict(np.load(folder / "seq.npz"))
    np.savez(folder / "unlabelled.npz", x=arrays["x"][:4], lengths=arrays["lengths"][:4])
    return folder


SEQUENCES = "--model=sequences/export"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_npz_file(folder, tmp_path, ending):
    out = tmp_path / f"scores.{ending}"
    said = seqclf("predict", SEQUENCES, "seq.npz", f"--out={out}", cwd=folder)
    table = getattr(pd, f"read_{ending}")(out)
    printed = json.loads(seqclf("predict", SEQUENCES, "seq.npz", "--json", cwd=folder))
    assert table["id"].tolist() == [row["input"] for row in printed]
    assert table["class"].tolist() == [row["class_name"] for row in printed]
    np.testing.assert_allclose(
        table[["p_calm", "p_busy"]], [list(r["probabilities"].values()) for r in printed], 1e-6
    )
    arrays = np.load(folder / "seq.npz")
    labels = arrays["class_names"][arrays["y"]].tolist()
    assert table["label"].tolist() == labels
    assert table["correct"].tolist() == (table["label"] == table["class"]).tolist()
    assert f"Wrote      {out}: 60 rows\n" in said
    assert f"Accuracy   {accuracy_score(labels, table['class']):.2%} of 60 rows" in said
    assert f"macro F1 {f1_score(labels, table['class'], average='macro'):.2%}" in said
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_an_accuracy_on_the_training_file_is_marked(folder, tmp_path):
    note = "note: {}: the file of the model's training data has this name."
    (tmp_path / "other.npz").write_bytes((folder / "seq.npz").read_bytes())
    for file, marked in ((folder / "seq.npz", True), (tmp_path / "other.npz", False)):
        out = tmp_path / f"{marked}.csv"
        said = notes_of(folder, file, out)
        assert (note.format(file) in said) == marked
    unlabelled = tmp_path / "seq.npz"
    unlabelled.write_bytes((folder / "unlabelled.npz").read_bytes())
    said = notes_of(folder, unlabelled, tmp_path / "other.npz", tmp_path / "o.csv")
    assert "has this name" not in said


def notes_of(folder, *files_and_out):
    """Returns what a prediction says on standard error."""
    *files, out = map(str, files_and_out)
    command = [*python(), "-m", "seqclf.predict", SEQUENCES, *files, f"--out={out}"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stderr


def test_labels_in_some_files_only(folder, tmp_path):
    out = tmp_path / "scores.csv"
    seqclf("predict", SEQUENCES, "unlabelled.npz", "seq.npz", f"--out={out}", cwd=folder)
    table = pd.read_csv(out)
    assert table["label"].isna().tolist() == [True] * 4 + [False] * 60
    assert table["id"].tolist()[3:5] == ["unlabelled.npz[3]", "seq.npz[0]"]


def test_names_and_labels_of_an_npz_file(folder, tmp_path):
    arrays = dict(np.load(folder / "seq.npz"))
    few = {"x": arrays["x"][:3], "lengths": arrays["lengths"][:3]}
    np.savez(tmp_path / "a.npz", **few, ids=["p", "q", "r"], y=["busy", "calm", "lazy"])
    np.savez(tmp_path / "b.npz", **few, y=[1, 0, 2])  # the classes of the model
    np.savez(tmp_path / "c.npz", **few, y=[0, 1, 0], class_names=["busy", "calm"])
    files = [tmp_path / f"{name}.npz" for name in "abc"]
    said = seqclf("predict", SEQUENCES, *files, f"--out={tmp_path}/o.csv", cwd=folder)
    table = pd.read_csv(tmp_path / "o.csv")
    assert table["id"].tolist()[:4] == ["p", "q", "r", f"{files[1]}[0]"]
    labels = ["busy", "calm", "lazy", "busy", "calm", "2", "busy", "calm", "busy"]
    assert table["label"].tolist() == labels
    assert table["correct"].isna().tolist() == [False, False, True] * 2 + [False] * 3
    assert "Left out   2 rows whose label is no class of the model: 'lazy' 1, '2' 1" in said


def test_images(folder, tmp_path):
    out = tmp_path / "digits.csv"
    images = sorted(str(path) for path in (folder / "run/samples").glob("*.png"))
    said = seqclf("predict", "--model=run/export", *images, f"--out={out}", cwd=folder)
    table = pd.read_csv(out, dtype={"class": str})
    assert table["id"].tolist() == images
    assert list(table) == ["id", "class", "probability", *(f"p_{i}" for i in range(10))]
    assert "Accuracy" not in said and f"Wrote      {out}: 3 rows" in said


def test_a_table_that_is_there_is_replaced_only_on_demand(folder, tmp_path):
    out = tmp_path / "scores.csv"
    out.write_text("mine")
    flags = ("predict", SEQUENCES, "unlabelled.npz", f"--out={out}")
    message = seqclf(*flags, cwd=folder, status=2)
    assert "is there already and is left as it is" in message and out.read_text() == "mine"
    seqclf(*flags, "--overwrite", cwd=folder)
    assert len(pd.read_csv(out)) == 4


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--out=scores.txt"], "must name a file that ends in .csv or .parquet"),
        (["--out=nowhere/scores.csv"], "there is no folder 'nowhere'"),
        (["--out=made.csv"], "made.csv', which is a folder"),
        (["--out=scores.csv", "--json"], "--json prints the predictions, --out writes them"),
        (["--overwrite"], "--overwrite is for the file that --out names"),
        (["--out=same.csv", "--overwrite", "same.csv"], "must not be a file that is read"),
        (["--out=link.csv", "--overwrite", "same.csv"], "must not be a file that is read"),
        (["--out=run/scores.csv", "run"], "must not be in the folder that is read, run"),
    ],
)
def test_what_is_refused_before_the_model_is_loaded(folder, flags, message):
    (folder / "made.csv").mkdir(exist_ok=True)
    (folder / "same.csv").write_text("id\n")
    if not (folder / "link.csv").exists():
        (folder / "link.csv").symlink_to("same.csv")
    said = seqclf("predict", SEQUENCES, "seq.npz", *flags, cwd=folder, status=2)
    assert message in said and "Loading the model" not in said
    assert (folder / "same.csv").read_text() == "id\n"


def test_a_file_that_cannot_be_read_leaves_nothing_behind(folder, tmp_path):
    (tmp_path / "junk.npz").write_bytes(b"junk")
    out = tmp_path / "scores.csv"
    bad = seqclf(
        "predict", SEQUENCES, "seq.npz", tmp_path / "junk.npz", f"--out={out}", cwd=folder, status=1
    )
    assert "junk.npz: truncated or not an .npz file" in bad
    image = next((folder / "run/samples").glob("*.png"))
    (tmp_path / "junk.png").write_bytes(image.read_bytes()[:80])
    for ending in ("csv", "parquet"):
        flags = ("--model=run/export", image, tmp_path / "junk.png", f"--out={tmp_path}/x.{ending}")
        assert "junk.png" in seqclf("predict", *flags, cwd=folder, status=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junk.npz", "junk.png"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_no_space_leaves_what_was_there(folder, tmp_path, ending):
    out = tmp_path / f"scores.{ending}"
    out.write_text("mine")
    command = [sys.executable, "-m", "seqclf.predict", SEQUENCES, "seq.npz", f"--out={out}"]
    done = subprocess.run(
        [*command, "--overwrite"],
        cwd=folder,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600)),
    )
    assert done.returncode == 1, done.stderr
    assert f"error: {out} could not be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count(str(out)) == 1
    assert out.read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_a_place_that_cannot_be_written(folder):
    said = seqclf("predict", SEQUENCES, "seq.npz", "--out=/proc/scores.csv", cwd=folder, status=1)
    assert "/proc/scores.csv could not be written" in said


def test_neither_tensorflow_nor_pyarrow_is_imported_without_need(folder, tmp_path):
    command = [sys.executable, "-X", "importtime", "-m", "seqclf.predict", SEQUENCES]

    def imported(*flags):
        done = subprocess.run([*command, *flags], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
        return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}

    unused = {"tensorflow", "keras", "sklearn"}
    assert not (unused | {"pyarrow"}) & imported("unlabelled.npz")
    modules = imported("unlabelled.npz", f"--out={tmp_path}/scores.csv")
    assert "pyarrow" in modules and not unused & modules
