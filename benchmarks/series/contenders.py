"""What is compared: each contender is trained on a list of series and predicts classes.

aeon's three run with their defaults. The plain GRU is Keras's own layer, on the budget of the
recipe: as many units, steps and examples in a batch, and the same learning rate.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.series.sets import Examples
from seqclf.config import Config
from seqclf.errors import SeqclfError

OURS = "seqclf"
PLAIN_GRU = "plain GRU"
PART = 20  # examples that are predicted between two looks at the clock


class OverTimeError(SeqclfError):
    """A contender did not finish within its time limit."""


@dataclass(frozen=True)
class Contender:
    """A contender.

    Attributes:
        random: whether its result depends on a seed.
        of_config: whether its result depends on the config of the recipe.
        fit: called with the training split, a seed and the config; returns a function that
            predicts the class names of examples, `[N]`.
        in_parts: whether examples are predicted a few at a time, so that a time limit holds.
    """

    random: bool
    of_config: bool
    fit: Callable[[Examples, int, Config], Callable[[Examples], np.ndarray]]
    in_parts: bool = False


@dataclass(frozen=True)
class Measured:
    """The predictions of a contender, and the CPU time of fitting and of predicting, in seconds."""

    predicted: np.ndarray
    fit_seconds: float
    predict_seconds: float


def measure(
    contender: Contender,
    train: Examples,
    read_test: Callable[[], Examples],
    seed: int,
    config: Config,
    limit: float,
) -> Measured:
    """Trains a contender and lets it predict the test split.

    CPU time is that of all threads of the process; unlike the time on the clock it hardly depends
    on what else the machine does.

    Args:
        contender: the contender.
        train: the training split.
        read_test: returns the test split; called when the training is over.
        seed: seed of the training.
        config: config of the recipe.
        limit: CPU seconds after which predicting is given up, where it is done in parts.

    Raises:
        OverTimeError: it was given up.
    """
    begun = time.process_time()
    predict = contender.fit(train, seed, config)
    fit_seconds = time.process_time() - begun
    test = read_test()
    size = PART if contender.in_parts else len(test.x)
    begun, predicted = time.process_time(), []
    for i in range(0, len(test.x), size):
        predicted.append(predict(test.part(np.arange(i, min(i + size, len(test.x))))))
        if (used := time.process_time() - begun) > limit and i + size < len(test.x):
            share = (i + size) / len(test.x)
            raise OverTimeError(
                f"given up after {used:.0f} s of CPU time, with {share:.0%} of the test split done"
            )
    return Measured(np.concatenate(predicted), fit_seconds, time.process_time() - begun)


def ours(train: Examples, seed: int, config: Config) -> Callable[[Examples], np.ndarray]:
    """Trains the recipe through seqclf's estimator."""
    from seqclf import SequenceClassifier

    classifier = SequenceClassifier(config, random_state=seed).fit(train.given(), train.y)
    whole = train.equal_length
    return lambda test: classifier.predict(np.stack(test.x) if whole else test.x)


def plain_gru(train: Examples, seed: int, config: Config) -> Callable[[Examples], np.ndarray]:
    """Trains a layer `keras.layers.GRU` and a head on the standardised series."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    classes, labels = np.unique(train.y, return_inverse=True)
    steps = np.concatenate(train.x)
    mean, scale = steps.mean(axis=0), np.maximum(steps.std(axis=0), 1e-7)

    def arrays(examples: Examples) -> tuple[np.ndarray, np.ndarray]:
        """Returns the series, padded with zeros, and a mask of their time steps."""
        x = np.zeros((len(examples.x), examples.longest, len(mean)), "float32")
        mask = np.zeros(x.shape[:2], bool)
        for row, valid, series in zip(x, mask, examples.x, strict=True):
            row[: len(series)], valid[: len(series)] = (series - mean) / scale, True
        return x, mask

    size = min(config.batch_size, len(train.x))
    data = tf.data.Dataset.from_tensor_slices((arrays(train), labels))
    data = data.shuffle(len(train.x), seed=seed).repeat().batch(size)
    x = keras.Input((None, len(mean)))
    mask = keras.Input((None,), dtype="bool")
    state = keras.layers.GRU(config.model.units[-1])(x, mask=mask)
    model = keras.Model([x, mask], keras.layers.Dense(len(classes))(state))
    model.compile(
        keras.optimizers.Adam(config.optimizer.learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(data, steps_per_epoch=config.steps, verbose=0)
    return lambda test: classes[model.predict(arrays(test), verbose=0).argmax(-1)]


def mini_rocket(train: Examples, seed: int, config: Config) -> Callable[[Examples], np.ndarray]:
    from aeon.classification.convolution_based import MiniRocketClassifier

    del config
    return _rocket(MiniRocketClassifier(random_state=seed), train)


def multi_rocket(train: Examples, seed: int, config: Config) -> Callable[[Examples], np.ndarray]:
    from aeon.classification.convolution_based import MultiRocketClassifier

    del config
    return _rocket(MultiRocketClassifier(random_state=seed), train)


def _rocket(classifier: Any, train: Examples) -> Callable[[Examples], np.ndarray]:
    """Trains one that takes series of one length alone: shorter ones are padded with zeros.

    A series of the test split that is longer than all of the training split is cut.
    """
    length = train.longest

    def array(examples: Examples) -> np.ndarray:
        padded = np.zeros((len(examples.x), examples.x[0].shape[1], length))  # [N, D, T]
        for row, series in zip(padded, examples.x, strict=True):
            row[:, : len(series)] = series[:length].T
        return padded

    classifier.fit(array(train), train.y)
    return lambda test: classifier.predict(array(test))


def nearest_by_dtw(train: Examples, seed: int, config: Config) -> Callable[[Examples], np.ndarray]:
    from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier

    del seed, config
    classifier = KNeighborsTimeSeriesClassifier(distance="dtw", n_neighbors=1)

    def given(examples: Examples) -> Any:
        series = [each.T.astype("float64") for each in examples.x]
        return np.stack(series) if train.equal_length else series

    classifier.fit(given(train), train.y)
    return lambda test: classifier.predict(given(test))


CONTENDERS: Mapping[str, Contender] = {
    OURS: Contender(True, True, ours),
    PLAIN_GRU: Contender(True, True, plain_gru),
    "MiniRocket": Contender(True, False, mini_rocket),
    "MultiRocket": Contender(True, False, multi_rocket),
    "1-NN DTW": Contender(False, False, nearest_by_dtw, in_parts=True),
}
