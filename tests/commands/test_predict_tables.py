"""`predict` on tables and folders: rows against pandas' reading, and what is said or refused."""

import dataclasses
import json
import shlex
import subprocess

import numpy as np
import pandas as pd
import pytest
from running import background, free_port, python, seqclf

from seqclf.config import resolve
from seqclf.data.spec import DatasetSpec
from seqclf.data.table_layout import TableLayout
from seqclf.models.classifier import build_classifier
from seqclf.serving.export import export_model
from seqclf.serving.predictor import Predictor

LAYOUT = TableLayout("long", id="run", time="t", label="state", values=("a", "b"))
SPEC = DatasetSpec(
    *("csv:train.csv", "rows", (9, 2), "float32", ("calm", "busy")),
    variable_length=True,
    feature_names=("a", "b"),
    table=LAYOUT,
)
WINDOWS = dataclasses.replace(
    SPEC,
    raw_shape=(4, 2),
    variable_length=False,
    table=dataclasses.replace(LAYOUT, window=4, stride=2, window_label="last"),
)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 10, 40)
    rows = [
        {"t": t, "run": f"r{i}", "b": rng.normal(), "note": "x", "a": rng.normal(), "state": label}
        for i, n in enumerate(lengths)
        for label in [["calm", "busy", "odd"][i % 3]]
        for t in range(n)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, frame):
    """Exports of models, not trained, of sequences and of windows; and tables for them."""
    folder = tmp_path_factory.mktemp("tables")
    config = resolve({"data": {"source": "csv:train.csv"}, "model": {"units": [5]}})
    for name, spec in {"sequences": SPEC, "windows": WINDOWS}.items():
        export_model(build_classifier(config, spec), spec, folder / name, {})
    frame.to_csv(folder / "new.csv", index=False)
    frame.drop(columns=["state"]).to_parquet(folder / "unlabelled.parquet", index=False)
    return folder


def expected(folder, model, arrays):
    """The probabilities of each sequence, asked one by one."""
    predictor = Predictor(folder / model)
    varying = predictor.spec.variable_length
    return np.stack(
        [
            predictor.predict(x[None], np.array([len(x)]) if varying else None, ["x"])[
                0
            ].probabilities
            for x in arrays
        ]
    )


def groups(frame):
    return [(name, group.sort_values("t")) for name, group in frame.groupby("run", sort=False)]


def values(group):
    return group[["a", "b"]].to_numpy("float32")


def test_a_row_for_each_sequence(folder, frame, tmp_path):
    out = tmp_path / "scores.csv"
    flags = ("--model=sequences", "new.csv", f"--out={out}")
    said = seqclf("predict", *flags, cwd=folder)
    table = pd.read_csv(out)
    assert table["id"].tolist() == [name for name, _ in groups(frame)]
    wanted = expected(folder, "sequences", [values(group) for _, group in groups(frame)])
    np.testing.assert_allclose(table[["p_calm", "p_busy"]], wanted, atol=1e-6)
    assert table["label"].tolist() == [group["state"].iloc[0] for _, group in groups(frame)]
    odd = table["label"] == "odd"
    assert table["correct"].isna().tolist() == odd.tolist()
    known = table[~odd]
    assert (
        f"Accuracy   {(known['label'] == known['class']).mean():.2%} of {len(known)} rows" in said
    )
    assert f"Left out   {odd.sum()} rows whose label is no class of the model: 'odd'" in said
    printed = json.loads(seqclf("predict", *flags[:2], "--json", cwd=folder))
    assert [row["class_name"] for row in printed] == table["class"].tolist()
    assert printed[3]["input"] == "r3"


def test_parquet_in_any_order_and_without_labels(folder, frame, tmp_path):
    shuffled = pd.read_parquet(folder / "unlabelled.parquet").sample(frac=1, random_state=0)
    shuffled.to_parquet(tmp_path / "shuffled.parquet", index=False)
    files = [folder / "unlabelled.parquet", tmp_path / "shuffled.parquet"]
    said = seqclf("predict", "--model=sequences", *files, f"--out={tmp_path}/o.parquet", cwd=folder)
    table = pd.read_parquet(tmp_path / "o.parquet")
    assert list(table) == ["id", "class", "probability", "p_calm", "p_busy"]
    first, second = table[:40].set_index("id"), table[40:].set_index("id")
    pd.testing.assert_frame_equal(first, second.loc[first.index], check_exact=False, atol=1e-6)
    assert "Accuracy" not in said


def stderr(folder, *flags):
    command = [*python(), "-m", "seqclf.predict", *map(str, flags)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_what_differs_from_the_training_table_is_said(folder, tmp_path):
    said = stderr(
        folder,
        "--model=sequences",
        "unlabelled.parquet",
        "unlabelled.parquet",
        f"--out={tmp_path}/o.csv",
    )
    assert "note: unlabelled.parquet: columns that are not read: note" in said
    assert "note: unlabelled.parquet: no column 'state': the true classes are not known" in said
    assert "warning: 40 of 40 ids occur more than once" in said
    renamed = pd.read_csv(folder / "new.csv").rename(columns={"run": "who", "b": "B"})
    renamed.to_csv(tmp_path / "renamed.csv", index=False)
    flags = ("--model=sequences", tmp_path / "renamed.csv")
    message = seqclf("predict", *flags, "--id=who", cwd=folder, status=1)
    assert "there is no column 'b' (similar: B)" in message
    assert "r3" in seqclf("predict", *flags, "--id=who", "--features=a,B", cwd=folder)


def test_windows_are_cut_as_in_training(folder, frame, tmp_path):
    changing = frame.assign(state=np.where(frame["t"] < 5, "calm", "busy"))
    changing.to_csv(tmp_path / "recordings.csv", index=False)
    flags = ("--model=windows", tmp_path / "recordings.csv", f"--out={tmp_path}/w.csv")
    said = stderr(folder, *flags)
    windows = {
        f"{name}:{start}": group[start : start + 4]
        for name, group in groups(changing)
        for start in range(0, len(group) - 3, 2)
    }
    table = pd.read_csv(tmp_path / "w.csv")
    assert table["id"].tolist() == list(windows)
    assert table["label"].tolist() == [group["state"].iloc[-1] for group in windows.values()]
    wanted = expected(folder, "windows", [values(group) for group in windows.values()])
    np.testing.assert_allclose(table[["p_calm", "p_busy"]], wanted, atol=1e-6)
    short = sum(len(group) < 4 for _, group in groups(frame))
    assert f"{short} recordings are shorter than a window and are left out" in said
    frame[frame["run"] == "r0"].head(3).to_csv(tmp_path / "short.csv", index=False)
    message = seqclf("predict", "--model=windows", tmp_path / "short.csv", cwd=folder, status=1)
    assert "has no example to predict (1 recordings are shorter than a window" in message


def test_a_folder_with_a_file_for_each_sequence(folder, frame, tmp_path):
    known = [(name, group) for name, group in groups(frame) if group["state"].iloc[0] != "odd"]
    for i, (name, group) in enumerate(known):
        place = tmp_path / "in" / group["state"].iloc[0]
        place.mkdir(parents=True, exist_ok=True)
        if i % 2:
            np.save(place / f"{name}.npy", values(group))
        else:
            group.drop(columns=["run", "state"]).to_csv(place / f"{name}.csv", index=False)
    (tmp_path / "in" / "readme.md").write_text("x")
    said = stderr(folder, "--model=sequences", tmp_path / "in", f"--out={tmp_path}/o.csv")
    assert "the label of each sequence is the name of its folder" in said
    assert "1 files that are neither CSV nor .npy are left out" in said
    table = pd.read_csv(tmp_path / "o.csv")
    sequences = [values(dict(known)[path.split("/")[-1][:-4]]) for path in table["id"]]
    wanted = expected(folder, "sequences", sequences)
    np.testing.assert_allclose(table[["p_calm", "p_busy"]], wanted, atol=1e-6)
    assert table["label"].tolist() == [path.split("/")[-2] for path in table["id"]]


def test_a_server_gives_the_same_rows(folder, tmp_path):
    port = free_port()
    address = f"--server=http://127.0.0.1:{port}/v1/models/seqclf"
    manifest = f"--manifest={folder}/sequences/1/assets.extra/manifest.json"
    serve = f"{shlex.join(python())} -m seqclf.serve --export_dir=sequences"
    with background(f"{serve} --port={port} --grpc_port=0", folder):
        flags = (address, "--wait=30", "new.csv")
        seqclf("predict", *flags, manifest, f"--out={tmp_path}/a.csv", cwd=folder)
        seqclf("predict", *flags, f"--out={tmp_path}/d.csv", cwd=folder)  # our server tells them
        named = ("--id=run", "--time=t", "--features=a,b", "--label=state")
        seqclf("predict", *flags, *named, f"--out={tmp_path}/b.csv", cwd=folder)
    seqclf("predict", "--model=sequences", "new.csv", f"--out={tmp_path}/c.csv", cwd=folder)
    tables = [pd.read_csv(tmp_path / f"{name}.csv") for name in "abcd"]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    pd.testing.assert_frame_equal(tables[0], tables[3])
    pd.testing.assert_frame_equal(tables[0], tables[2], check_exact=False, atol=1e-5)


BAD = {
    "empty.csv": ("run,t,a,b\n", "empty.csv"),
    "nothing.csv": ("", "nothing.csv"),
    "binary.csv": (b"\x89PNG\r\n\x1a\n\0\0", "binary.csv"),
    "gap.csv": ("run,t,a,b\nr,0,1,\n", "'r': the value of b is missing at time step 0"),
    "twice.csv": ("run,t,a,b\nr,0,1,2\nr,0,3,4\n", "has this time in 't' already"),
    "words.csv": ("run,t,a,b\nr,0,1,two\n", "two"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables_end_in_one_message_and_leave_nothing(folder, tmp_path, name):
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    flags = ("--model=sequences", tmp_path / name, f"--out={tmp_path}/o.csv")
    assert message in seqclf("predict", *flags, cwd=folder, status=1)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_flags_for_tables_without_a_table(folder):
    said = seqclf("predict", "--model=sequences", "--id=run", "x.npz", cwd=folder, status=2)
    assert "--id is for tables" in said
