"""What a command says while it works: on standard error, apart from its results."""

import subprocess
import sys

import pytest

from seqclf.console.progress import CountProgress, announce
from seqclf.console.tensorflow_start import hidden_from_import


def test_an_announcement_leaves_standard_output_alone(capsys):
    announce("Loading mnist")
    assert capsys.readouterr() == ("", "Loading mnist …\n")


def test_a_count_is_shown_every_few_seconds_and_not_at_its_end(capsys, monkeypatch):
    clock = iter([0.0, 1.0, 6.0, 7.0, 12.0, 18.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    progress = CountProgress("Scored")
    for done in (512, 1024, 1536, 2048, 2500):
        progress(done, 2500)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "Scored 1,024/2,500 examples  left 0:09",
        "Scored 2,048/2,500 examples  left 0:03",
    ]


def test_a_hidden_package_cannot_be_imported_until_the_end(tmp_path, monkeypatch):
    (tmp_path / "a_package.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with hidden_from_import(["a_package", "sys"]):
        with pytest.raises(ImportError):
            import a_package
        assert sys.modules["sys"] is sys, "what is imported already stays"
    import a_package

    assert a_package.__file__


def test_predict_and_evaluate_do_not_wait_for_what_they_do_not_need():
    program = """
import sys
from seqclf.console.tensorflow_start import start_tensorflow
start_tensorflow()
import seqclf.experiment.run_evaluation, seqclf.experiment.score_text, seqclf.serving.predictor
unused = {"sklearn", "matplotlib", "tensorflow_datasets", "keras_tuner", "tensorboard"}
print(sorted(unused & set(sys.modules)))
import sklearn.metrics, matplotlib.figure
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
    assert done.stderr.startswith("Starting TensorFlow …\n")
