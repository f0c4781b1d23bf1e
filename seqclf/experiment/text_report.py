"""The report of a language model: its scores, `report.md`, and the figure of a text's surprises."""

import json
from typing import Any

from matplotlib.figure import Figure

from seqclf.config import Config
from seqclf.config.wording import model_in_words, selection_in_words
from seqclf.console.names_in_text import code_in_markdown, in_markdown
from seqclf.console.progress import clock
from seqclf.data.dataset import Dataset
from seqclf.data.text.source import CONTEXT
from seqclf.data.text.split import TextSplit
from seqclf.experiment.score_text import score_line, score_table
from seqclf.experiment.surprise_figure import surprise_figure
from seqclf.training.text_evaluation import PIECE, TextScore

SHOWN = 400  # tokens of the figure
FREQUENT = 40  # tokens of the vocabulary that report.json lists


def text_data(dataset: Dataset) -> dict[str, Any]:
    """Returns what `report.json` says of the data of a language model."""
    spec = dataset.spec
    tokens = {name: len(part.tokens) for name, part in _parts(dataset)}
    return {
        "source": spec.source,
        "origin": dataset.origin,
        "steps": spec.time_steps,
        "tokens": spec.tokens.to_dict() if spec.tokens else None,
        "vocabulary": spec.num_classes,
        "most_frequent": list(spec.class_names[1 : 1 + FREQUENT]),
        "examples": tokens,
        "division": dataset.division,
        "notes": list(dataset.notes),
    }


def text_figures(dataset: Dataset, split: str, score: TextScore) -> dict[str, Figure]:
    """Returns the figures that only a language model has, by name.

    Args:
        dataset: its data.
        split: the part of the text that was scored.
        score: its score.
    """
    part = dict(_parts(dataset))[split]
    scored = part.tokens[len(part.tokens) - len(score.right) :][:SHOWN]
    names = [dataset.spec.class_names[token] for token in scored]
    of = f"the beginning of the {split} part"
    return {"surprise": surprise_figure(names, score.log_probabilities[:SHOWN], of)}


def text_report_in_markdown(report: dict[str, Any], config: Config) -> str:
    """Returns the text of `report.md`.

    Args:
        report: the content of `report.json`.
        config: the config of the run.
    """
    split, data, training = report["split"], report["data"], report["training"]
    counts = ", ".join(f"{name} {count:,}" for name, count in data["examples"].items())
    kind = data["tokens"]["kind"]
    ended = "stopped early" if training["stopped_early"] else "ran to its end"
    batches = f"{config.batch_size} windows of {data['steps']} {kind}"
    lines = [
        f"# Run {code_in_markdown(report['name'])}",
        "",
        f"**{score_line(split, report[split])}**",
        "",
        f"- data: {in_markdown(data['source'])}; {in_markdown(data['origin'])}, "
        f"a vocabulary of {data['vocabulary']:,} ({counts} {kind})",
        f"- parts: {data['division']}",
        *(f"- note: {in_markdown(note)}" for note in data["notes"]),
        f"- model: {model_in_words(config)}; {training['parameters']:,} parameters",
        f"- training: {training['steps']:,} steps of {batches}, {config.data.windows}, {ended}, "
        f"{clock(training['train_seconds'])} min:s; seed {report['seed']}",
        f"- weights: those of step {training['selected_step']:,}, {selection_in_words(config)}",
        "",
        "## Learning curves",
        "",
        "![loss, error rate and learning rate by step](figures/learning_curves.png)",
        "",
        f"## Scores on the {split} part",
        "",
        *score_table(report[split]),
        "",
        f"Each token is predicted from the {CONTEXT:,} to {CONTEXT + PIECE:,} tokens before it, of "
        "which the first may belong to the part before.",
        "",
        f"![the beginning of the {split} part, coloured by surprise](figures/surprise.png)",
        "",
        "## The most frequent tokens",
        "",
        ", ".join(code_in_markdown(json.dumps(t)) for t in data["most_frequent"]),
        "",
    ]
    return "\n".join(lines)


def _parts(dataset: Dataset) -> list[tuple[str, TextSplit]]:
    """Returns the parts of the text by name."""
    return [(name, part) for name, part in dataset.splits() if isinstance(part, TextSplit)]
