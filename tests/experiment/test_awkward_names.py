"""Class names that Markdown or matplotlib would interpret, in every report and figure."""

import warnings

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from matplotlib.backends.backend_agg import FigureCanvasAgg

from seqclf.data.dataset import DatasetSpec, Split
from seqclf.experiment.figures import confusion_matrix, worst_mistakes
from seqclf.experiment.score_text import class_table
from seqclf.inspection.figures import predictions_by_step
from seqclf.inspection.stepwise import Inspection
from seqclf.training.class_report import class_report
from seqclf.training.evaluation import Score

MARKS = st.sampled_from([*"<>_*`|$~#&[](){}\\!:+-=.1 %\"'@/;^"])
LETTERS = st.characters(blacklist_categories=("C", "Z"))
NAME = st.text(st.one_of(MARKS, LETTERS), min_size=1, max_size=10).filter(str.strip)
NAMES = st.lists(NAME, min_size=2, max_size=4, unique=True).map(tuple)
AWKWARD = (
    *("<unk>", "_silence_", "`x`", "US$_A$", r"$\foo$", "a$ ^ $b", "100 %", "a|b", "n" * 300),
    *("سلام‌علیکم", "हिन्दी", "👨‍👩‍👧‍👦"),
)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def scored(names):
    """Returns examples, one of each class, and a score in which the first is taken for the last."""
    labels = np.arange(len(names), dtype=np.int32)
    probabilities = np.full((len(names), len(names)), 0.1 / len(names))
    probabilities[labels, labels] = 0.9
    probabilities[0] = probabilities[-1]
    split = Split(np.zeros((len(names), 4, 4), np.uint8), labels)
    return split, Score(probabilities, labels, loss=1.0, accuracy=0.5)


def draw(figure):
    figure.set_dpi(30)
    with warnings.catch_warnings():
        warnings.filterwarnings("error")
        warnings.filterwarnings("ignore", "Glyph .* missing from font|Matplotlib currently does")
        FigureCanvasAgg(figure).draw()


@settings(max_examples=4)
@given(NAMES)
@example(AWKWARD)
def test_figures_are_drawn(names):
    spec = DatasetSpec("test", "rows", (4, 4), "uint8", names)
    split, score = scored(names)
    draw(confusion_matrix(class_report(score, names)["confusion"], names))
    draw(worst_mistakes(split, spec, score))
    draw(predictions_by_step(Inspection(split.x[0], spec, score.probabilities[[0] * 4], [])))


@given(NAMES)
@example(AWKWARD)
def test_the_table_of_classes_shows_the_names(names):
    _, score = scored(names)
    tokens = MARKDOWN.parse("\n".join(class_table(class_report(score, names))))
    cells = [token.children for token in tokens if token.type == "inline"]
    texts = ["".join(part.content for part in cell) for cell in cells]
    assert texts[5::5] == list(names)
    assert all(part.type == "text" for cell in cells for part in cell)
