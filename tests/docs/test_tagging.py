"""The program and the commands of docs/tagging.md run, in the order in which they stand there."""

import re
import shlex
import shutil

import pandas as pd
from running import ROOT, seqclf

PAGE = (ROOT / "docs" / "tagging.md").read_text()


def test_the_page(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    said = []
    for language, block in re.findall(
        r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL
    ):
        if language == "python":
            exec(compile(block, "docs/tagging.md", "exec"), {})
            continue
        for line in block.splitlines():
            _, _, command, *flags = shlex.split(line)
            name = command.removeprefix("seqclf.")
            short = ["--config.steps=20", "--config.jit_compile=false"] if name == "train" else []
            said.append(seqclf(name, *flags, *short, cwd=tmp_path))
    trained, evaluated, shown, written, of_table = said
    assert "9,671 time steps of 162 sequences" in trained and "time steps of" in evaluated
    assert "samples.npz[0]  time steps " in shown
    table = pd.read_csv("movement_scores.csv")
    assert f"{len(table):,} rows" in written
    assert set(table["class"]) <= {"rest", "walk", "run"} and "correct" in table
    again = pd.read_csv("table_scores.csv")
    assert f"{len(table):,} rows" in of_table
    pd.testing.assert_frame_equal(again.drop(columns="id"), table.drop(columns="id"))
    assert (tmp_path / "runs/movement/figures/examples.png").is_file()
