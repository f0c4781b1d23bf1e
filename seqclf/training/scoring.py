"""What scores a model, and the numbers that a report has of a score, by the kind of the data."""

from typing import Any

import keras

from seqclf.data.dataset import DatasetSpec
from seqclf.training.class_report import class_report
from seqclf.training.distribution.workers import Workers
from seqclf.training.evaluation import Score, Scorer
from seqclf.training.text_evaluation import TextScore, TextScorer

AnyScore = Score | TextScore


def make_scorer(
    model: keras.Model,
    spec: DatasetSpec,
    jit_compile: bool = False,
    workers: Workers | None = None,
    native: bool = True,
) -> Any:
    """Returns a `Scorer`, or for text a `TextScorer`; see there for the arguments."""
    if spec.is_text:
        return TextScorer(model, spec, workers, native)
    return Scorer(model, spec, jit_compile, workers, native)


def score_report(score: AnyScore, spec: DatasetSpec) -> dict[str, Any]:
    """Returns the numbers of a score, as `report.json` has them.

    Args:
        score: the score of a model on a split.
        spec: the spec of the data.
    """
    if isinstance(score, TextScore):
        return {
            "loss": score.loss,
            "perplexity": score.perplexity,
            "bits_per_token": score.bits_per_token,
            "bits_per_character": score.bits_per_character,
            "accuracy": score.accuracy,
            "examples": len(score.right),
            "unit": spec.tokens.kind if spec.tokens else "tokens",
        }
    return class_report(score, spec.class_names)
