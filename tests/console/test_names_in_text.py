"""Names that Markdown or matplotlib would interpret are shown as they are."""

import warnings

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from seqclf.console.names_in_text import code_in_markdown, in_figure, in_markdown

MARKS = st.sampled_from([*"<>_*`|$~#&[](){}\\!:+-=.1 %\"'@/;"])
LETTERS = st.characters(blacklist_categories=("C", "Z"))
NAMES = st.text(st.one_of(MARKS, LETTERS), min_size=1, max_size=8).filter(str.strip)
AWKWARD = [
    *("<unk>", "_silence_", "a*b*c", "`x`", "US$ to A$_", r"$\foo$", r"\$5", "100 %", "a|b"),
    *("# 1", "1. one", "- x", "&amp;", "[a](b)", "<!-- x", " a ", "~~a~~", "**", "\\", "x\\"),
    *("سلام‌علیکم", "שלום", "हिन्दी", "👨‍👩‍👧‍👦", "🙂", "www.a.org"),
]
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(markdown):
    """Returns the text of each block, as a reader of rendered Markdown sees it."""
    blocks = [token.children for token in MARKDOWN.parse(markdown) if token.type == "inline"]
    return [
        "".join(c.content if c.type in ("text", "code_inline") else f"<{c.type}>" for c in block)
        for block in blocks
    ]


def with_awkward(test):
    for name in AWKWARD:
        test = example(name)(test)
    return given(NAMES)(test)


@with_awkward
def test_markdown_shows_the_name(name):
    row = f"| head | head |\n|---|---|\n| {in_markdown(name)} | {in_markdown(name)} |\n"
    assert shown(row)[2:] == [name, name]
    assert shown(f"{in_markdown(name)}\n") == [name]
    assert shown(f"the classes {in_markdown(name)}, {in_markdown(name)}.\n") == [
        f"the classes {name}, {name}."
    ]


@with_awkward
def test_code_in_markdown_shows_the_name(name):
    assert shown(f"# Run {code_in_markdown(name)}\n") == [f"Run {name}"]


@pytest.mark.parametrize("name", ["0", "T-shirt", "a name", "snake_case", "naïve", "3.5", "C++"])
def test_a_plain_name_is_left_as_it_is(name):
    assert in_markdown(name) == in_figure(name) == name
    assert code_in_markdown(name) == f"`{name}`"


def test_line_breaks_become_spaces():
    assert in_markdown("a\n# b") == "a # b"
    assert in_figure("a\nb") == "a b"
    assert code_in_markdown("a\nb") == "`a b`"


def drawn(text, **options):
    """Returns the pixels of a text drawn by matplotlib."""
    figure = Figure(figsize=(3, 0.4))
    canvas = FigureCanvasAgg(figure)
    figure.text(0.02, 0.2, text, **options)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font|Matplotlib currently does")
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@with_awkward
def test_a_figure_shows_the_name(name):
    np.testing.assert_array_equal(drawn(in_figure(name)), drawn(name, parse_math=False))


def test_long_names_are_shortened_in_figures():
    assert in_figure("n" * 200) == "n" * 23 + "…"
    assert len(in_figure("$" * 24).replace("\\", "")) == 24
