"""`explain` and `compare` as a user types them."""

import json
import shutil

import numpy as np
import pytest
from running import seqclf

SMALL = (
    "--config.data.source=digits",
    "--config.steps=30",
    "--config.model.units=8",
    "--config.jit_compile=false",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained")
    seqclf("train", *SMALL, "--workdir=run", cwd=folder)
    return folder


def test_without_a_file_the_run_s_samples_are_explained(folder):
    output = seqclf("explain", "--workdir=run", "--gradients", cwd=folder)
    samples = sorted(path.stem for path in (folder / "run/samples").iterdir())
    assert len(samples) == 3
    for name in samples:
        reading = json.loads((folder / "run/explain" / name / "reading.json").read_text())
        assert f"\n{name}: {reading['answer']}, " in output
        assert f"run/explain/{name}/ (answers.png, gates_1.png, memories_1.png)" in output
    assert "run/explain/gradients/ (gradient_flow.png)" in output
    assert "after training   gru_1" in output


def test_examples_of_a_file_go_where_they_are_asked_to(folder):
    np.savez(folder / "two.npz", x=np.zeros((2, 8, 8), np.uint8))
    seqclf("explain", "--workdir=run", "--out=elsewhere", "two.npz", cwd=folder)
    assert {path.name for path in (folder / "elsewhere").iterdir()} == {"two-0", "two-1"}


def test_tables_are_explained_as_they_are_predicted(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["run,t,x,state"]
    for i in range(30):
        size = 10.0 ** rng.uniform(-3, 3)
        lines += [f"p{i},{t},{size * rng.normal()},{'ab'[i % 2]}" for t in range(3 + i % 4)]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    data = ("--config.data.source=csv:a.csv", "--config.data.normalize=sequence")
    columns = [
        f"--config.data.{k}={v}" for k, v in {"id": "run", "time": "t", "label": "state"}.items()
    ]
    seqclf("train", *SMALL[1:], *data, *columns, "--workdir=run", cwd=tmp_path)
    output = seqclf("explain", "--workdir=run", "a.csv", cwd=tmp_path)
    assert "note: a.csv: has more examples; the first 8 are explained" in output
    folders = sorted(path.name for path in (tmp_path / "run/explain").iterdir())
    assert folders == [f"a-{i}" for i in range(8)]
    for i in range(8):
        reading = json.loads((tmp_path / f"run/explain/a-{i}/reading.json").read_text())
        assert len(reading["step_probabilities"]) == 3 + i % 4
        assert f"\na-{i} (p{i}): {reading['answer']}, " in output
        assert reading["looks_ahead"].startswith("each time step is scaled by the mean and")
    assert output.count("an earlier answer knows the scale of what comes after it)") == 8
    report = (tmp_path / "run/report.md").read_text()
    assert "- scale: each sequence by itself, to mean 0 and deviation 1" in report


def test_mistakes_end_in_one_message(folder, tmp_path):
    (folder / "junk.png").write_bytes(b"junk")
    message = seqclf("explain", "--workdir=run", "junk.png", cwd=folder, status=1)
    assert "junk.png: not a readable image" in message
    (folder / "a.csv").write_text("a,b\n1,2\n")
    message = seqclf("explain", "--workdir=run", "a.csv", cwd=folder, status=1)
    assert "a.csv: it is not known which columns this model reads" in message
    assert "lacks config.json" in seqclf("explain", f"--workdir={tmp_path}", status=2)
    shutil.copytree(folder / "run", tmp_path / "run")
    (tmp_path / "run" / "model.keras").unlink()
    assert "has no model.keras yet" in seqclf("explain", f"--workdir={tmp_path}/run", status=2)


@pytest.mark.slow
def test_compare_says_where_everything_is(tmp_path):
    flags = (*SMALL, "--config.validate_every=10", "--cells=gru,rnn", "--seeds=1")
    output = seqclf("compare", *flags, "--workdir=c", cwd=tmp_path)
    for line in ("[1/4] gru, equal width", "| parameters | rnn |"):
        assert line in output
    for name in ("report.md", "figures", "results.json", "runs"):
        assert f"c/{name}" in output and (tmp_path / "c" / name).exists()


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--cells=gru,grru", "--cells takes gru, lstm, rnn, mgu. Received: 'grru'"),
        ("--config.model.cell=lstm", "give --cells instead"),
        ("--seeds=0", "--seeds"),
    ],
)
def test_mistakes_of_a_comparison(tmp_path, flag, message):
    assert message in seqclf("compare", flag, cwd=tmp_path, status=2)
    assert not list(tmp_path.iterdir())
