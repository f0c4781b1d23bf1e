"""`make_scorer`: what scores a model, by the kind of its data."""

from typing import Any

import keras

from seqclf.data.dataset import DatasetSpec
from seqclf.training.distribution.workers import Workers
from seqclf.training.evaluation import Score, Scorer
from seqclf.training.text_evaluation import TextScore, TextScorer

AnyScore = Score | TextScore


def make_scorer(
    model: keras.Model,
    spec: DatasetSpec,
    jit_compile: bool = False,
    workers: Workers | None = None,
) -> Any:
    """Returns a `Scorer`, or for text a `TextScorer`; see there for the arguments."""
    if spec.is_text:
        return TextScorer(model, spec, workers)
    return Scorer(model, spec, jit_compile, workers)
