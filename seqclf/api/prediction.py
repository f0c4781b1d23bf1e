"""`predict`: the classes of raw sequences, by a run, an export or a model."""

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.api.doubtful_inputs import warn_of_inputs
from seqclf.api.inputs import raw_examples
from seqclf.api.model_source import model_source
from seqclf.api.tables import table_examples
from seqclf.console.tensorflow_start import start_quietly
from seqclf.errors import ConfigError, DataError
from seqclf.serving.input_range import InputRange
from seqclf.serving.model_facts import ModelFacts

if TYPE_CHECKING:
    from seqclf.data.dataset import ExampleStore, Split
    from seqclf.data.spec import DatasetSpec
    from seqclf.training.evaluation import Scorer

PART = 4096  # examples of a split that are given to an export together


@dataclass(frozen=True)
class Predictions:
    """The predictions for N sequences, in their order.

    A model that classifies time steps gives arrays of `[N, T, C]` and `[N, T]`, where T is the
    number of time steps of the longest sequence. Behind the end of a sequence the probabilities are
    0, the index is -1 and the name is "".

    Attributes:
        probabilities: float32 `[N, C]`, the probability of each class.
        class_index: int `[N]`, the index of the most probable class; of an export that was made
            with a threshold, the index of the class by that threshold.
        class_name: str `[N]`, its name.
        class_names: the names of all C classes, by index.
        ids: str `[N]`, the names of the sequences; None: they have none.
    """

    probabilities: np.ndarray
    class_index: np.ndarray
    class_name: np.ndarray
    class_names: tuple[str, ...]
    ids: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.class_index)

    def __repr__(self) -> str:
        return f"<Predictions of {len(self):,} sequences, {len(self.class_names)} classes>"


def predict(
    model: Any, sequences: Any, *, lengths: Any = None, spec: "DatasetSpec | None" = None
) -> Predictions:
    """Classifies raw sequences.

    Args:
        model: what classifies them:

            - what `fit` or `load_run` returned, or the path of a run directory;
            - the path of an export, `EXPORT_DIR` (its newest version) or `EXPORT_DIR/<version>`;
            - a Keras model that `build_classifier` made; `spec` is then needed.
        sequences: a list of arrays `[T_i, D]` (`[T_i]` with one feature), one array `[N, T, D]`,
            images `[N, H, W]` or `[N, H, W, C]`, or a split of a dataset, such as `dataset.test`;
            for a model that was trained on a table also a data frame, or the path of a CSV or
            Parquet file, with the columns of that table. The values are raw, as they are in the
            data: normalisation is a part of the model.
        lengths: `[N]`, the number of valid time steps where `sequences` is one padded array; None:
            all are valid.
        spec: the description of the data (`dataset.spec`), for a Keras model alone.

    Returns:
        The probabilities, class indices and class names.

    Warns:
        InputWarning: values are far outside the range of the training data, sequences are much
            longer than those of the training, or the padding of an array does not fit `lengths`.

    Raises:
        DataError: the sequences do not fit the model, or hold values that it cannot take.
        RunError: the run has no model yet.
        ExportError: the export is missing or damaged.
        ConfigError: `model` is none of these, or `spec` is missing or not needed.

    Example:
        >>> dataset = seqclf.load_dataset("digits")  # doctest: +SKIP
        >>> seqclf.predict("runs/digits", dataset.test).class_name[:3]  # doctest: +SKIP
        array(['7', '0', '4'], dtype='<U1')
    """
    start_quietly()
    classifier = _classifier(model, spec)
    if classifier.spec.is_text:
        raise ConfigError(
            "A language model classifies nothing: write text with it by seqclf.generate. Received: "
            f"a model of {classifier.spec.source}"
        )
    examples = _examples(sequences, lengths, classifier.spec)
    padded = isinstance(sequences, np.ndarray) and sequences.dtype != object
    warn_of_inputs(examples, classifier.facts, padded=padded, stacklevel=2)
    return _classified(classifier, examples)


def classified(model: Any, spec: "DatasetSpec", examples: "ExampleStore") -> Predictions:
    """Classifies checked examples with a Keras model, without a warning."""
    return _classified(_KerasClassifier(model, ModelFacts(spec)), examples)


def _classified(
    classifier: "_KerasClassifier | _ExportClassifier", examples: "ExampleStore"
) -> Predictions:
    probabilities, index = classifier(examples)
    names = classifier.spec.class_names
    ids = getattr(examples, "ids", None)
    # The last name is that of the index -1.
    return Predictions(probabilities, index, np.array([*names, ""])[index], names, ids)


def _classifier(model: Any, spec: "DatasetSpec | None") -> "_KerasClassifier | _ExportClassifier":
    source = model_source(model, spec, "how raw values are normalised")
    if source is None:
        assert spec is not None
        return _KerasClassifier(model, ModelFacts(spec))
    if isinstance(source, (str, Path)):
        return _ExportClassifier(source)
    known = source.directory.read_manifest().get("data") or {}
    facts = ModelFacts(source.spec, InputRange.from_json(known.get("input_range")))
    return _KerasClassifier(source.model, facts)


def _examples(sequences: Any, lengths: Any, spec: "DatasetSpec") -> "ExampleStore":
    """Returns the examples to classify, as a split."""
    from seqclf.data.dataset import Dataset
    from seqclf.data.tables.frames import is_frame

    if is_frame(sequences) or isinstance(sequences, (str, Path)):
        return table_examples(sequences, spec)
    if isinstance(sequences, Dataset):
        raise DataError(
            "A dataset has three splits: give one of them, such as dataset.test. Received: a "
            "Dataset"
        )
    if not hasattr(sequences, "batch_reader"):
        return raw_examples(sequences, lengths, spec)
    store: ExampleStore = sequences
    if lengths is not None:
        raise DataError("A split has its own lengths. Received: a split and `lengths`")
    if len(store):  # one example tells the shape of all
        first = store.take(np.arange(1))
        raw_examples(first.x, first.lengths, spec)
    return store


class _KerasClassifier:
    """Classifies with a Keras model.

    Args:
        model: the model.
        facts: facts about its training data; the spec is known.
    """

    def __init__(self, model: Any, facts: ModelFacts):
        assert facts.spec is not None
        self.spec, self.facts = facts.spec, facts
        self._score = _scorer(model, facts.spec)

    def __call__(self, examples: "ExampleStore") -> tuple[np.ndarray, np.ndarray]:
        """Returns the probabilities `[N, C]` and the index of the predicted class `[N]`."""
        if self.spec.per_step:
            return self._of_steps(examples.take(np.arange(len(examples))))
        probabilities = self._score(examples).probabilities
        return probabilities, probabilities.argmax(-1)

    def _of_steps(self, examples: "Split") -> tuple[np.ndarray, np.ndarray]:
        """Returns the same for each time step, `[N, T, C]` and `[N, T]`."""
        from seqclf.data.step_labels import NO_LABEL, valid_steps

        valid = valid_steps(examples.x.shape[:2], examples.lengths)  # [N, T]
        asked = np.where(valid, 0, NO_LABEL).astype(np.int32)  # any class stands for all of them
        rows = self._score(dataclasses.replace(examples, y=asked)).probabilities
        probabilities = np.zeros((*valid.shape, self.spec.num_classes), np.float32)
        probabilities[valid] = rows
        return probabilities, np.where(valid, probabilities.argmax(-1), NO_LABEL)


@functools.lru_cache(maxsize=4)  # a scorer compiles its prediction, which is kept for later calls
def _scorer(model: Any, spec: "DatasetSpec") -> "Scorer":
    from seqclf.training.evaluation import Scorer

    return Scorer(model, spec)


class _ExportClassifier:
    """Classifies with an exported model."""

    def __init__(self, path: str | Path):
        from seqclf.serving.predictor import Predictor

        self._predictor: Predictor = Predictor(path)
        self.spec = self._predictor.spec
        self.facts = ModelFacts(self.spec, self._predictor.input.input_range)

    def __call__(self, examples: "ExampleStore") -> tuple[np.ndarray, np.ndarray]:
        """Returns the probabilities `[N, C]` and the index of the predicted class `[N]`."""
        rows: list[np.ndarray] = []
        index: list[Any] = []
        for part in _parts(examples):
            names = [f"sequence {i}" for i in range(len(part))]
            lengths = part.lengths
            if self.spec.variable_length and lengths is None:
                lengths = np.full(len(part), part.x.shape[1], np.int32)
            predictions = self._predictor.predict(part.x, lengths, names)
            rows += [each.probabilities for each in predictions]
            index += [each.class_index for each in predictions]
        if self.spec.per_step:
            return _padded(rows, index)
        none = np.zeros([0, self.spec.num_classes], np.float32)
        return np.stack(rows) if rows else none, np.array(index, np.int64)


def _padded(rows: list[np.ndarray], index: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns predictions of time steps as arrays `[N, T, C]` and `[N, T]`, padded.

    Args:
        rows: the probabilities of each sequence, `[T_i, C]`.
        index: the predicted classes of each, `[T_i]`.
    """
    longest = max(map(len, rows))
    probabilities = np.zeros((len(rows), longest, rows[0].shape[1]), np.float32)
    chosen = np.full((len(rows), longest), -1, np.int64)
    for i, (row, classes) in enumerate(zip(rows, index, strict=True)):
        probabilities[i, : len(row)], chosen[i, : len(row)] = row, classes
    return probabilities, chosen


def _parts(examples: "ExampleStore") -> "Iterator[Split]":
    for start in range(0, len(examples), PART):
        yield examples.take(np.arange(start, min(start + PART, len(examples))))
