"""`example_weights`: how much each training example counts in the loss."""

import numpy as np

from seqclf.config import Config
from seqclf.config.class_weights import WORDS, class_weights_by_name
from seqclf.data.dataset import Dataset
from seqclf.data.pipeline import ExampleWeights
from seqclf.data.split import Split
from seqclf.data.step_labels import NO_LABEL, labels_that_count
from seqclf.errors import ConfigError, DataError


def example_weights(config: Config, dataset: Dataset) -> ExampleWeights | None:
    """Returns the weights of the training examples; None: all count alike.

    The weight of an example is its own (`Split.weights`) times that of its class (`class_weight`),
    scaled so that the mean over the training split is 1. A step divides the sum of its weighted
    losses by the batch size. So a learning rate means the same with weights and without. Where time
    steps have labels, all of this is about time steps; those of a sequence have its weight.

    `balanced` gives the classes equal sums of weights, as scikit-learn does: class c has
    n / (C · n_c), where n is the sum of the examples' own weights and n_c that of the class.

    Args:
        config: a resolved config; `class_weight` and `batch_selection` are read.
        dataset: its data. Of shards the labels are read, if classes have weights.

    Raises:
        ConfigError: a class does not exist, or weights do not go with `batch_selection`.
        DataError: all weights are 0.
    """
    own = dataset.train.weights if isinstance(dataset.train, Split) else None
    if config.class_weight == "none" and own is None:
        return None
    if config.batch_selection > 1:
        raise ConfigError(
            "`batch_selection` chooses examples by their loss, and weights would not mean the same "
            "among them: set it to 1, or leave out `class_weight` and the weights of the examples. "
            f"Received: {config.batch_selection}"
        )
    y = dataset.train.labels
    each = np.ones(len(y)) if own is None else own.astype(np.float64)
    labels = labels_that_count(y)
    if y.ndim == 2:
        each = np.repeat(each, (y != NO_LABEL).sum(axis=1))
    names = dataset.spec.class_names
    sums = np.bincount(labels, each, len(names))
    per_class = _of_classes(config.class_weight, names, sums)
    if not (total := float(per_class @ sums)) > 0:
        raise DataError(
            "Every training example has the weight 0: give some of them, or of the classes, a "
            "weight above 0."
        )
    per_class *= len(labels) / total
    return ExampleWeights(per_class.astype(np.float32), own)


def weights_in_words(config: Config, dataset: Dataset) -> list[str]:
    """Returns a line that says how much the classes count; [] if all examples count alike.

    Args:
        config: a resolved config.
        dataset: its data.
    """
    weights = example_weights(config, dataset)
    if weights is None:
        return []
    own = "the weights of the examples" if weights.per_example is not None else ""
    classes = ""
    if config.class_weight != "none":
        pairs = list(zip(dataset.spec.class_names, weights.per_class, strict=True))
        shown = ", ".join(f"{name} {weight:.3g}" for name, weight in pairs[:12])
        classes = f"classes {shown}" + (", …" if len(pairs) > 12 else "")
    return [f"weights in the loss: {' times '.join(filter(None, [own, classes]))}"]


def _of_classes(text: str, names: tuple[str, ...], sums: np.ndarray) -> np.ndarray:
    """Returns the weight of each class, float64 `[C]`.

    Args:
        text: the value of `class_weight`.
        names: the class names.
        sums: `[C]`, for each class the sum of its examples' own weights.
    """
    if text == "none":
        return np.ones(len(names))
    if text == "balanced":
        if not sums.all():
            name = names[int(sums.argmin())]
            raise DataError(
                "`class_weight` 'balanced' needs a weight above 0 in each class. Received: only "
                f"examples of weight 0 in class {name!r}"
            )
        balanced: np.ndarray = sums.sum() / (len(names) * sums)
        return balanced
    assert text not in WORDS
    named = class_weights_by_name(text)
    if unknown := [name for name in named if name not in names]:
        shown = ", ".join(map(repr, names[:20])) + (", …" if len(names) > 20 else "")
        raise ConfigError(
            f"`class_weight` names a class that does not exist. The classes are {shown}. "
            f"Received: {unknown[0]!r}"
        )
    return np.array([named.get(name, 1.0) for name in names])
