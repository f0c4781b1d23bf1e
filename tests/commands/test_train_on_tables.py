"""Training on a table: the commands that are printed at the end run as they are."""

import numpy as np
import pandas as pd
from running import seqclf


def write_table(path, count, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        {"run": f"r{i}", "t": t, "a": rng.normal() + i % 2, "b": rng.normal(), "state": "xy"[i % 2]}
        for i in range(count)
        for t in range(rng.integers(2, 6))
    ]
    pd.DataFrame(rows).to_csv(path, index=False)


def test_the_commands_that_are_printed_at_the_end(tmp_path):
    write_table(tmp_path / "train.csv", 40)
    output = seqclf(
        "train",
        "--config.data.source=csv:train.csv",
        *("--config.data.id=run", "--config.data.time=t", "--config.data.label=state"),
        *("--config.steps=3", "--config.batch_size=8", "--config.model.units=4"),
        *("--config.jit_compile=false", "--workdir=mine"),
        cwd=tmp_path,
    )
    lines = [line.split() for line in output.split("Next:")[1].splitlines() if line.strip()]
    assert lines[0][-1] == "mine/samples/samples.csv"
    said = seqclf(lines[0][2].partition(".")[2], *lines[0][3:], cwd=tmp_path)
    assert "mine/scores.csv: 3 rows" in said
    scores, samples = (
        pd.read_csv(tmp_path / "mine" / name) for name in ("scores.csv", "samples/samples.csv")
    )
    assert scores["id"].tolist() == samples["run"].unique().tolist()
    train = pd.read_csv(tmp_path / "train.csv").set_index("run")
    for name, group in samples.groupby("run"):
        np.testing.assert_allclose(group[["a", "b"]], train.loc[name, ["a", "b"]], rtol=1e-6)
    seqclf("explain", "--workdir=mine", cwd=tmp_path)  # of samples.npz
