"""Cross-validation on scikit-learn's digits: seqclf beside the SVC and k-NN, on the same folds."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from seqclf.config import resolve

INNER_FOLDS = 5  # in which C, gamma and k are chosen
C = (1.0, 3.0, 10.0, 30.0)
GAMMA = (0.0005, 0.001, 0.002, 0.004)  # for pixels from 0 to 16
NEIGHBOURS = (1, 3, 5, 7)
FIRST_SPLIT = 1000  # seed of the folds of the first repetition
Predict = Callable[[np.ndarray], np.ndarray]


class Part(NamedTuple):
    """Images `[N, 8, 8]` of 0 to 16, and their classes `[N]`."""

    x: np.ndarray
    y: np.ndarray


def parts_of(repetition: int, fold: int, folds: int) -> tuple[Part, Part]:
    """Returns what is trained on and what is scored.

    Args:
        repetition: number of the repetition; each has folds of its own.
        fold: number of the fold.
        folds: number of folds.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import StratifiedKFold

    digits = load_digits()
    divide = StratifiedKFold(folds, shuffle=True, random_state=FIRST_SPLIT + repetition)
    kept, held = list(divide.split(digits.images, digits.target))[fold]
    return tuple(Part(digits.images[i], digits.target[i]) for i in (kept, held))  # type: ignore


def ours(train: Part, job: dict[str, Any]) -> tuple[Predict, dict[str, Any]]:
    """Trains the config with `seqclf.SequenceClassifier`; an image has 8 time steps, its rows."""
    from seqclf import SequenceClassifier

    config = resolve(job["config"])
    return SequenceClassifier(config, random_state=job["seed"]).fit(train.x, train.y).predict, {}


def support_vectors(train: Part, job: dict[str, Any]) -> tuple[Predict, dict[str, Any]]:
    """Trains the SVC with RBF kernel; C and gamma are chosen in the training part."""
    from sklearn.svm import SVC

    return _searched(SVC(), {"C": C, "gamma": GAMMA}, train, job)


def neighbours(train: Part, job: dict[str, Any]) -> tuple[Predict, dict[str, Any]]:
    """Trains k nearest neighbours; k is chosen in the training part."""
    from sklearn.neighbors import KNeighborsClassifier

    return _searched(KNeighborsClassifier(), {"n_neighbors": NEIGHBOURS}, train, job)


def _searched(
    classifier: Any, grid: dict[str, Any], train: Part, job: dict[str, Any]
) -> tuple[Predict, dict[str, Any]]:
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    inner = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=job["seed"])
    search = GridSearchCV(classifier, grid, cv=inner)
    search.fit(train.x.reshape(len(train.x), -1), train.y)
    return lambda x: search.predict(x.reshape(len(x), -1)), {"chosen": search.best_params_}


OURS = "seqclf"
CONTENDERS = {OURS: ours, "SVC (RBF)": support_vectors, "k-NN": neighbours}
