"""The flag `--config` and those of its keys, in a process of their own."""

import json
import subprocess

import pytest
from running import python

PROGRAM = """
import json, sys
from absl import flags
from seqclf.config import resolve
from seqclf.console.config_flag import ConfigFlag
config = ConfigFlag()
flags.FLAGS(sys.argv)
print(json.dumps(resolve(config.value).to_dict()))
"""


def config_of(*args):
    run = subprocess.run([*python(), "-c", PROGRAM, *args], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("recipe", [(), ("--config=digits",)])
def test_epochs_of_the_command_line_are_the_length(recipe):
    config = config_of(*recipe, "--config.epochs=3")
    assert (config["steps"], config["epochs"]) == (0, 3.0)
    both = config_of(*recipe, "--config.epochs=3", "--config.steps=20")
    assert (both["steps"], both["epochs"]) == (20, 0.0)


def test_epochs_of_the_command_line_replace_the_steps_of_a_json_file(tmp_path):
    (tmp_path / "config.json").write_text('{"steps": 70}')
    recipe = f"--config={tmp_path / 'config.json'}"
    assert config_of(recipe)["steps"] == 70
    assert config_of(recipe, "--config.epochs=3")["steps"] == 0
    (tmp_path / "config.json").write_text('{"epochs": 3}')
    assert config_of(recipe)["steps"] == 0
