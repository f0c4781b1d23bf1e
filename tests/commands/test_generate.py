"""`generate`: the same text by a run, an export and Python; what is refused, by one message."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from language_models import language_model, spec_of, untrained_run
from running import python, seqclf

from seqclf.errors import ConfigError, DataError
from seqclf.serving.text.export import write_text_version

RUNS = Path(__file__).parents[1] / "data_of_0_1/runs.tar.xz"
WRITING = ("--length=30", "--temperature=0.7", "--top_k=5", "--seed=4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run and an export of a language model that reads letters only, and runs of classifiers."""
    folder = tmp_path_factory.mktemp("generate")
    spec = spec_of(letters_only=True)
    untrained_run(folder / "letters", spec)
    (folder / "export/1").mkdir(parents=True)
    write_text_version(folder / "export/1", language_model(spec), spec, {}, [b"the rain"])
    with tarfile.open(RUNS) as archive:
        archive.extractall(folder, filter="data")
    return folder


def generate(folder, *flags):
    """Returns what the command writes to standard output and to standard error."""
    done = subprocess.run(
        [*python(), "-m", "seqclf.generate", *flags], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_run_an_export_and_python_write_the_same(folder, capsys):
    import seqclf as package

    options = {"length": 30, "temperature": 0.7, "top_k": 5, "seed": 4}
    text, said = generate(folder, "--model=export", "--prefix=the rain", *WRITING)
    assert text.startswith("the rain") and len(text) == len("the rain") + 30 + 1
    assert text.endswith("\n") and "note:" not in said
    assert generate(folder, "--workdir=letters", "--prefix=the rain", *WRITING)[0] == text
    for model in (
        str(folder / "export/1"),
        folder / "letters",
        package.load_run(folder / "letters"),
    ):
        assert package.generate(model, "the rain", **options) == text[:-1]
    assert package.generate(folder / "letters", "the rain", **options | {"seed": 5}) != text[:-1]
    assert "note" not in capsys.readouterr().err
    spec = spec_of(letters_only=True)
    assert package.generate(language_model(spec), "the rain", spec=spec, **options) == text[:-1]


@pytest.mark.parametrize("model", ["--model=export", "--workdir=letters"])
def test_what_the_model_does_not_know_is_said(folder, model):
    text, said = generate(folder, model, "--prefix=The RAIN, my Quartz", "--length=1")
    assert text.startswith("the rain my quartz")
    assert "note: the prefix is read as 'the rain my quartz'\n" in said
    assert (
        "note: the vocabulary lacks 5 of the prefix's characters, which are read as <unk>: "
        "'m', 'y', 'q', 'u', 'z'\n" in said
    )


def test_the_text_comes_as_it_is_written(folder):
    """The first tokens are there long before the last one could be."""
    command = [sys.executable, "-m", "seqclf.generate", "--model=export", "--prefix=the"]
    process = subprocess.Popen(
        [*command, "--length=100000000"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=folder, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    with process:
        assert process.stdout.read(40).startswith(b"the")
        process.stdout.close()  # as `| head -c 40` does
        assert process.wait(60) == 141


REFUSED = [
    ([], "Give either --model=EXPORT_DIR or --workdir=RUN."),
    (["--model=export", "--workdir=letters"], "Give either --model=EXPORT_DIR or --workdir=RUN."),
    (["--model=export", "--length=0"], "`length` must be a whole number from 1. Received: 0"),
    (["--model=export", "--temperature=-1"], "from 0 to 100; 0 takes the most probable token"),
    (["--workdir=letters", "--temperature=nan"], "Received: nan"),
    (["--model=export", "--top_k=-1"], "`top_k` must be a whole number from 0"),
    (["--model=export", "--top_k=15"], "from 0 to 14, the size of the vocabulary. Received: 15"),
    (["--workdir=letters", "--top_k=15"], "from 0 to 14, the size of the vocabulary. Received: 15"),
    (["--model=export", "--seed=9223372036854775808"], "`seed` must be a whole number of 64 bits"),
    (["--model=sequences/export"], "is a classifier, which writes no text."),
    (["--workdir=sequences"], "is a classifier, which writes no text."),
    (["--workdir=nothing"], "nothing is no run directory"),
]


@pytest.mark.parametrize(("flags", "said"), REFUSED, ids=lambda value: str(value)[:40])
def test_wrong_calls(folder, flags, said):
    message = seqclf("generate", "--prefix=the", *flags, status=2, cwd=folder)
    assert said in message
    assert sum(line.startswith("error: ") for line in message.splitlines()) == 1


def test_no_prefix(folder):
    assert "--prefix is required." in seqclf("generate", "--model=export", status=2, cwd=folder)


@pytest.mark.parametrize("model", ["--model=export", "--workdir=letters"])
def test_prefixes_without_tokens_or_with_too_many(folder, model):
    said = "The prefix must have 1 to 10,000 characters"
    empty = seqclf("generate", model, "--prefix=", status=1, cwd=folder)
    assert said in empty and "Received: 0 characters, ''" in empty
    long = seqclf("generate", model, f"--prefix={'t' * 100_000}", status=1, cwd=folder)
    assert said in long and f"Received: 100,000 characters, '{'t' * 40}' …" in long
    assert "no exported model there" in seqclf(
        "generate", "--model=none", "--prefix=t", status=1, cwd=folder
    )


def test_commands_for_classifiers_point_to_it(folder):
    said = seqclf("predict", "--model=export", "sequences.npz", status=2, cwd=folder)
    assert "is a language model, which classifies nothing: it says how probable a text is." in said
    flags = ("--workdir=letters", "--export_dir=more")
    said = seqclf("export", *flags, "--litert=float32", status=2, cwd=folder)
    assert "--litert is not for a language model" in said and not (folder / "more").exists()


def test_in_python(folder):
    import seqclf as package

    for model in (folder / "letters", folder / "export"):
        with pytest.raises(ConfigError, match=r"write text with it by seqclf\.generate|Write text"):
            package.predict(model, [[[1.0]]])
    with pytest.raises(ConfigError, match=r"`prefix` must be a str. Received: \['a'\]"):
        package.generate(folder / "letters", ["a"])
    with pytest.raises(ConfigError, match=r"`temperature` must be a number .* Received: 'hot'"):
        package.generate(folder / "letters", "a", temperature="hot")
    with pytest.raises(ConfigError, match=r"is a classifier, which writes no text"):
        package.generate(folder / "sequences", "a")
    with pytest.raises(ConfigError, match=r"give `spec=dataset.spec`"):
        package.generate(language_model(spec_of()), "a")
    with pytest.raises(ConfigError, match=r"`model` must be a run.* Received: None"):
        package.generate(None, "a")
    with pytest.raises(DataError, match=r"Received: 0 characters"):
        package.generate(folder / "export", "")
