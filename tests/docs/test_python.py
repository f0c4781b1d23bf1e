"""The blocks of docs/python.md run, one after the other in one process."""

import re

from running import ROOT

import seqclf as package

PAGE = (ROOT / "docs" / "python.md").read_text()


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
