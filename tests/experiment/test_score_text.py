"""How good a model is, in words: at the end of a command and in a report."""

import warnings

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from seqclf.experiment.probability_figures import probability_figure
from seqclf.experiment.score_text import never_predicted, score_line, score_table
from seqclf.serving.manifest import write_card
from seqclf.training.class_report import class_report
from seqclf.training.evaluation import Score

NAMES = ("ok", "fault")


def report(labels, probabilities, names=NAMES):
    labels, probabilities = np.array(labels), np.array(probabilities)
    accuracy = float((probabilities.argmax(-1) == labels).mean())
    return class_report(Score(probabilities, labels, 0.4, accuracy), names)


@pytest.fixture(scope="module")
def uneven():
    return report([0] * 52 + [1] * 8, [[0.8, 0.2]] * 60)


def test_the_headline_stands_beside_what_a_constant_would_reach(uneven):
    assert score_line("Test", uneven) == (
        "Test accuracy 86.67% of 60 examples (95 % interval 75.83% to 93.09%), balanced accuracy "
        "50.00%, always 'ok' would be 86.67%, loss 0.4000"
    )
    assert never_predicted(uneven) == ["Class 'fault' is never predicted."]


def test_the_report_of_version_0_1_has_the_headline_that_it_had(uneven):
    of_0_1 = ("accuracy", "accuracy_interval", "loss", "examples", "classes", "confusion")
    old = {name: uneven[name] for name in of_0_1}
    assert score_line("Test", old) == (
        "Test accuracy 86.67% of 60 examples (95 % interval 75.83% to 93.09%), loss 0.4000"
    )
    assert never_predicted(old) == []
    assert [line.split(" |")[0] for line in score_table(old)[2:]] == ["| accuracy", "| log loss"]


def test_many_classes_that_are_never_predicted_are_not_all_named():
    def of(count):
        names = tuple(f"c{i}" for i in range(count + 1))
        always_first = np.eye(count + 1)[[0] * (count + 1)]
        return never_predicted(report(range(count + 1), always_first, names))[0]

    assert of(2) == "Classes 'c1' and 'c2' are never predicted."
    assert of(3) == "Classes 'c1', 'c2' and 'c3' are never predicted."
    assert of(13).endswith("'c9', 'c10' and 3 more are never predicted.")


def test_the_table_says_why_a_score_is_not_defined():
    one = report([1, 1], [[0.3, 0.7], [0.4, 0.6]], ("a", "<b>"))
    lines = [line for line in score_table(one) if "not defined" in line]
    assert lines == [
        f"| {name} | not defined: all examples are of class '\\<b\\>' |  |"
        for name in ("ROC AUC", "average precision")
    ]


def lines_of(axes):
    return {line.get_label(): line.get_xydata() for line in axes.get_lines()}


def draw(figure):
    figure.set_dpi(30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FigureCanvasAgg(figure).draw()


def test_two_classes_have_curves_of_the_rarer_one():
    labels = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    figure = probability_figure(labels, probabilities, ("ok", "_f$"))
    reliability, roc, both = figure.axes
    curve = lines_of(roc)["area 0.6667"]
    assert curve.tolist() == [[0, 0], [1 / 3, 0], [1 / 3, 1], [1, 1]]
    assert {label for label in lines_of(both) if not label.startswith("_child")} == {
        *(r"_f\$, average 0.5000", "ok, average 0.9167")
    }
    accuracy = lines_of(reliability)["accuracy"]
    assert accuracy.tolist() == [[0.6, 1], [0.7, 0], [0.8, 1], [0.9, 1]]
    draw(figure)


def test_more_classes_or_one_in_the_split_have_the_reliability_alone():
    for labels, names in (([0, 1, 2], ("a", "b", "c")), ([1, 1, 1], ("a", "b"))):
        figure = probability_figure(np.array(labels), np.eye(len(names))[labels], names)
        assert len(figure.axes) == 1
        draw(figure)


def test_the_model_card_says_it_too(uneven, tmp_path, monkeypatch):
    from seqclf.data.dataset import DatasetSpec

    monkeypatch.setattr("seqclf.serving.manifest.describe_signatures", lambda folder: {})
    (tmp_path / "assets.extra").mkdir()
    spec = DatasetSpec("test", "rows", (4, 2), "float32", NAMES)
    facts = {"report": {"name": "r", "split": "test", "test": uneven, "data": {}}}
    write_card(tmp_path, spec, facts)
    card = next(tmp_path.rglob("model_card.md")).read_text()
    assert "Balanced accuracy 50.00%. A model that always answers 'ok' would have 86.67%." in card
    assert "**Class 'fault' was never predicted.**" in card
