"""The commands as a user types them: results, messages, exit status."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest
from running import python, seqclf


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A short run on the digits, outside any checkout, as an installed package is used."""
    folder = tmp_path_factory.mktemp("work")
    output = seqclf(
        "train",
        "--config.data.source=digits",
        "--config.steps=300",
        "--config.model.units=32",
        "--workdir=runs/a",
        cwd=folder,
    )
    return folder, output


def test_train_says_where_everything_is_and_what_to_type_next(trained):
    folder, output = trained
    assert "Test accuracy 9" in output
    for name in ("runs/a/report.md", "runs/a/figures/", "runs/a/export/1"):
        assert name in output
        assert (folder / name).exists()
    commands = [line.strip() for line in output.split("Next:")[1].splitlines() if line.strip()]
    assert len(commands) == 4
    for line in commands[:3]:
        words = line.replace("DIR", "exported").split()
        assert words[:2] == ["python", "-m"]
        seqclf(words[2].partition(".")[2], *words[3:], cwd=folder)
    assert (folder / "exported" / "1" / "saved_model.pb").is_file()


def test_the_same_command_again_does_no_work_twice(trained, tmp_path):
    folder, output = trained
    (tmp_path / "tensorflow.py").write_text("raise AssertionError('TensorFlow is started')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    again = seqclf(
        "train",
        "--config.data.source=digits",
        "--config.steps=300",
        "--config.model.units=32",
        "--workdir=runs/a",
        cwd=folder,
        env={"PYTHONPATH": path},
    )
    assert "step" not in again.split("Test accuracy")[0]
    assert again.strip() == output[output.index("Test accuracy") :].strip()


def test_a_run_with_another_run_s_model_is_refused(trained, tmp_path):
    folder, _ = trained
    shutil.copytree(folder / "runs/a", tmp_path / "b")
    dataset = json.loads((tmp_path / "b/dataset.json").read_text())
    dataset["raw_shape"] = [8, 9]
    (tmp_path / "b/dataset.json").write_text(json.dumps(dataset))
    export = ("export", f"--workdir={tmp_path}/b", f"--export_dir={tmp_path}/models")
    assert "is a model of other data: it takes [(None, 8, 8)]" in seqclf(*export, status=2)
    (tmp_path / "b/dataset.json").write_text("{")
    assert "dataset.json cannot be read" in seqclf(*export, status=2)
    assert not (tmp_path / "models").exists()


def test_evaluate_agrees_with_the_report(trained):
    folder, _ = trained
    report = json.loads((folder / "runs/a/report.json").read_text())
    test = json.loads(seqclf("evaluate", "--workdir=runs/a", "--json", cwd=folder))
    assert test["accuracy"] == report["test"]["accuracy"]
    text = seqclf("evaluate", "--workdir=runs/a", "--split=validation", cwd=folder)
    assert text.startswith("validation accuracy") and "of 144 examples" in text


def test_predict_text_and_json_agree(trained, tmp_path):
    folder, _ = trained
    samples = sorted((folder / "runs/a/samples").glob("*.png"))
    text = seqclf("predict", f"--model={folder}/runs/a/export", *samples).splitlines()
    rows = json.loads(seqclf("predict", f"--model={folder}/runs/a/export/1", "--json", *samples))
    assert len(text) == len(rows) == 3
    for line, row, sample in zip(text, rows, samples, strict=True):
        assert row["input"] == str(sample)
        assert f"{sample}  {row['class_name']}" in line
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-6)
        assert row["probability"] == max(row["probabilities"].values())
        assert row["class_name"] == sample.name[0]  # a sample is named after its class


def test_a_recipe_file_and_its_name(tmp_path):
    recipe = tmp_path / "mine.py"
    recipe.write_text(
        "from seqclf.config import default_config\n"
        "def get_config():\n"
        "    config = default_config()\n"
        "    config.name = 'mine'\n"
        "    config.data.source = 'digits'\n"
        "    config.model.units = [8]\n"
        "    config.steps = 5\n"
        "    config.jit_compile = False\n"
        "    return config\n"
    )
    seqclf("train", f"--config={recipe}", "--config.seed=4", cwd=tmp_path)
    config = json.loads((tmp_path / "runs/mine/config.json").read_text())
    assert (config["seed"], config["steps"], config["model"]["units"]) == (4, 5, [8])


def no_mnist(tmp_path):
    """An environment in which MNIST is nowhere and no host answers."""
    nobody = "http://127.0.0.1:9"
    return {
        "TFDS_DATA_DIR": str(tmp_path / "tfds"),
        "SEQCLF_MNIST_DIR": "",
        **dict.fromkeys(["http_proxy", "https_proxy"], nobody),
        "no_proxy": "",
    }


def test_without_config_and_without_mnist_the_digits_are_taken_and_it_is_said(tmp_path):
    env = no_mnist(tmp_path)
    flags = ("--config.steps=5", "--config.jit_compile=false", "--workdir=mine")
    output = seqclf("train", *flags, cwd=tmp_path, env=env)
    note = "NOTE: MNIST is not on this machine and cannot be fetched"
    assert output.count(note) == 2
    assert output.index(note) < output.index("step ") < output.rindex(note)
    manifest = json.loads((tmp_path / "mine/manifest.json").read_text())
    assert "bundled digits" in manifest["fallback"]
    assert json.loads((tmp_path / "mine/config.json").read_text())["name"] == "default-digits"
    # The same command again is the same run, and not one of another config.
    assert note in seqclf("train", *flags, cwd=tmp_path, env=env)


@pytest.mark.parametrize("flag", ["--config=RECIPE", "--config.data.source=mnist"])
def test_mnist_that_was_asked_for_is_never_exchanged(tmp_path, flag):
    recipe = tmp_path / "recipe.py"
    recipe.write_text("def get_config():\n    return {}\n")
    flag = flag.replace("RECIPE", str(recipe))
    message = seqclf("train", flag, cwd=tmp_path, env=no_mnist(tmp_path), status=1)
    assert "mnist is not on this machine and cannot be fetched. Tried:" in message
    assert "put t10k-images-idx3-ubyte.gz" in message
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("command", ["train", "tune", "compare"])
def test_a_table_is_looked_at_before_tensorflow_starts(tmp_path, command):
    (tmp_path / "a.csv").write_text("run,t,x,state\n1,0,0.5,up\n1,1,0.5,up\n")
    flags = ("--config=digits", "--config.data.source=csv:a.csv")
    message = seqclf(command, *flags, cwd=tmp_path, status=1)
    assert "name the column with the class in `data.label`" in message
    assert "Starting TensorFlow" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


BAD_FLAGS = [
    (["--config.model.unit=3"], "Unknown config key `model.unit`. Did you mean `model.units`?"),
    (["--config.batch_size=many"], "`batch_size` takes int values: examples that a"),
    (["--config.batch_size=0"], "`batch_size` must be at least 1. Received: 0"),
    (["--config.optimizer.name=adm"], "Received: 'adm'. Did you mean 'adam'?"),
    (["--config=nowhere.py"], "The recipe could not be found: no such file: 'nowhere.py'"),
    (["--wrkdir=x"], "Unknown command line flag 'wrkdir'. Did you mean: workdir"),
    (
        ["--data.normalize=none"],
        "Unknown command line flag 'data.normalize'. A key of the config is given as "
        "--config.data.normalize=VALUE.",
    ),
    (["steps=3"], "Received: steps=3 A key of the config is given as --config.steps=VALUE."),
    (["runs/a"], "Only flags are taken. Received: runs/a"),
]


@pytest.mark.parametrize("flags, message", BAD_FLAGS, ids=[flags[0] for flags, _ in BAD_FLAGS])
def test_wrong_flags_end_in_one_message(tmp_path, flags, message):
    assert message in seqclf("train", *flags, cwd=tmp_path, status=2)
    assert not list(tmp_path.iterdir())


def test_a_text_is_not_written_as_shards(tmp_path):
    message = seqclf("shard", "--source=text:timemachine", "--out=s", cwd=tmp_path, status=2)
    assert "error: --source must be sequences or images" in message


@pytest.mark.parametrize(
    "recipe, message",
    [
        ("def get_config(:", "The config could not be read: SyntaxError"),
        ("import nothing_of_the_kind", "The config could not be read: ModuleNotFoundError"),
        ("x = 1", "has no function get_config(). See configs/digits.py"),
        (
            "from seqclf.config import default_config\n"
            "def get_config():\n    c = default_config()\n    c.batch_size = 'a'\n    return c",
            "Could not override field 'batch_size'",
        ),
        (
            "from seqclf.config import default_config\n"
            "def get_config():\n    c = default_config()\n    c.bach_size = 3\n    return c",
            "Unknown config key `bach_size`. Did you mean `batch_size`?",
        ),
    ],
)
def test_broken_recipes_end_in_one_message(tmp_path, recipe, message):
    path = tmp_path / "recipe.py"
    path.write_text(recipe)
    assert message in seqclf("train", f"--config={path}", cwd=tmp_path, status=2)


def test_a_workdir_of_another_config_is_refused(trained):
    folder, _ = trained
    flags = ["--config.data.source=digits", "--config.steps=300", "--config.model.units=16"]
    message = seqclf("train", *flags, "--workdir=runs/a", cwd=folder, status=2)
    assert "It differs in\n  model.units: [32] -> [16]" in message


def test_commands_on_what_is_no_run(tmp_path):
    for command in ("evaluate", "export"):
        more = ["--export_dir=x"] if command == "export" else []
        message = seqclf(command, f"--workdir={tmp_path}", *more, status=2)
        assert "is no run directory: it lacks config.json" in message
    message = seqclf("predict", f"--model={tmp_path}", "x.png", status=1)
    assert "no exported model there" in message


def test_predict_names_the_file_at_fault(trained, tmp_path):
    model = f"--model={trained[0]}/runs/a/export"
    np.savez(tmp_path / "wrong.npz", x=np.zeros((2, 9, 8), np.uint8))
    message = f"{tmp_path}/wrong.npz: `x` must be of shape [N, 8, 8] for this model."
    assert message in seqclf("predict", model, tmp_path / "wrong.npz", status=1)
    assert "Name at least one" in seqclf("predict", model, status=2)
    assert "Give either --model=EXPORT_DIR or --server" in seqclf("predict", "x.png", status=2)


def test_help_describes_the_flags():
    for command, flag in {
        "train": "--workdir",
        "evaluate": "--split",
        "export": "--export_dir",
        "predict": "--[no]invert",
    }.items():
        done = subprocess.run(
            [*python(), "-m", f"seqclf.{command}", "--help"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert flag in done.stdout
