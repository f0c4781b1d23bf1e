"""What a report says of its data and its mistakes, without a training."""

import numpy as np
from markdown_it import MarkdownIt

from seqclf.config import Config
from seqclf.data.dataset import Dataset
from seqclf.experiment.announcement import training_in_words
from seqclf.experiment.report import build_report
from seqclf.experiment.report_text import mistakes_in_words, report_in_markdown
from seqclf.training.distribution.workers import Workers
from seqclf.training.evaluation import Score

TRAINING = {
    "parameters": 10,
    "steps": 5,
    "stopped_early": False,
    "selected_step": 5,
    "validation_accuracy": 0.5,
    "train_seconds": 1.0,
    "wait_share": 0.1,
    "fallback": "",
}


def dataset(**options):
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(20, 2)) for _ in range(40)]
    x[3][4, 1] = np.nan
    labels = ["calm", "busy"] * 20
    names = ["temp", "vib_x"]
    given = {"feature_names": names, "missing": "mean", **options}
    return Dataset.from_arrays(x, labels, **given)


def reported(data, wrong):
    """Returns the report of a model that takes the test examples `wrong` for another class."""
    probabilities = np.full((len(data.test), 2), 0.1)
    probabilities[np.arange(len(data.test)), data.test.y] = 0.9
    for place, i in enumerate(wrong):
        certain = 0.95 - 0.01 * place
        probabilities[i, data.test.y[i]], probabilities[i, 1 - data.test.y[i]] = (
            1 - certain,
            certain,
        )
    score = Score(probabilities, data.test.y, 0.5, 1 - len(wrong) / len(data.test))
    return build_report(Config(), data, score, TRAINING)


def test_mistakes_are_named_by_their_ids():
    data = dataset(ids=[f"run|{i}" for i in range(40)])
    report = reported(data, [4, 2, 0, 5])
    names = [str(data.test.ids[i]) for i in (4, 2, 0, 5)]
    assert [each["id"] for each in report["mistakes"]] == names
    assert [each["index"] for each in report["mistakes"]] == [4, 2, 0, 5]
    assert [each["confidence"] for each in report["mistakes"]] == [0.95, 0.94, 0.93, 0.92]
    first = report["mistakes"][0]
    assert {first["truth"], first["predicted"]} == {"calm", "busy"}
    assert first["truth"] == data.spec.class_names[data.test.y[4]]
    assert mistakes_in_words(report) == f"{names[0]}, {names[1]}, {names[2]} and 1 more"
    markdown = MarkdownIt("commonmark").enable("table")
    cells = [
        "".join(part.content for part in token.children)
        for token in markdown.parse(report_in_markdown(report, Config(), ["mistakes"]))
        if token.type == "inline"
    ]
    assert cells[cells.index(names[0]) : cells.index(names[0]) + 4] == [
        *(names[0], first["truth"], first["predicted"], "95.0%")
    ]


def test_without_ids_the_index_is_what_there_is():
    report = reported(dataset(), [1])
    assert "id" not in report["mistakes"][0]
    assert mistakes_in_words(report) == ""
    text = report_in_markdown(report, Config(), ["mistakes", "examples"])
    assert "index in the test split" in text and "| id |" not in text
    assert "figures/examples.png" in text
    assert mistakes_in_words({"test": report["test"]}) == ""  # of a run of an earlier version


def test_without_mistakes_none_are_shown():
    drawn = ["mistakes", "examples"]
    assert "Worst mistakes" in report_in_markdown(reported(dataset(), [1]), Config(), drawn)
    assert "Worst mistakes" not in report_in_markdown(reported(dataset(), []), Config(), drawn)


def test_report_and_announcement_say_that_sequences_are_scaled_by_themselves():
    for normalize, said in (("sequence", True), ("standard", False)):
        data = dataset(normalize=normalize)
        text = report_in_markdown(reported(data, []), Config(), [])
        assert ("- scale: each sequence by itself" in text) == said
        announced = training_in_words(Config(), data, 5, Workers())
        assert ("each sequence is scaled by itself" in announced) == said


def test_report_and_announcement_say_how_the_data_was_treated():
    data = dataset(
        groups=[i // 4 for i in range(40)], split_by="group", window=8, stride=6, split_seed=3
    )
    said = training_in_words(Config(), data, 5, Workers())
    text = report_in_markdown(reported(data, []), Config(), [])
    for words in (
        "validation and test are held out at random by group, seed 3",
        "missing values: mean",
        "120 windows of 8 time steps, 6 apart, from 40 recordings",
    ):
        assert words in said
        assert words in text
    assert "- features: temp, vib_x\n" in text


def test_own_splits_are_told_from_random_ones():
    splits = np.array(["train", "test"] * 20)
    splits[:4] = "train"
    data = dataset(splits=splits)
    words = "test is the source's own; validation is held out at random by class, seed 0"
    assert words in training_in_words(Config(), data, 5, Workers())
