"""`SequenceClassifier`: trains and predicts as an estimator of scikit-learn."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from seqclf.api.doubtful_inputs import warn_of_inputs
from seqclf.api.estimator import configs, files
from seqclf.api.estimator.inputs import classes_of, sequences_of, warn_of_axis_order, weights_of
from seqclf.api.estimator.training import rebuilt, train
from seqclf.api.inputs import raw_examples
from seqclf.api.prediction import classified
from seqclf.console.tensorflow_start import start_quietly
from seqclf.errors import ConfigError, DataError
from seqclf.serving.input_range import InputRange
from seqclf.serving.model_facts import ModelFacts

if TYPE_CHECKING:
    from seqclf.data.dataset import Dataset

KEY = "config__"  # before a key of the config, in names of parameters


class SequenceClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # no types
    """A classifier of sequences for scikit-learn: `cross_val_score`, `GridSearchCV`, `Pipeline`, …

    It trains on all sequences that `fit` is given, in memory, and prints nothing.

    Args:
        config: what is trained, and how: a dictionary with some keys, such as
            `{"model.units": [32], "steps": 500}`, whose others get values that suit the size of the
            data; None: all keys get such values; or a whole `Config`, a draft, or the name or path
            of a recipe. Of its group `data` only `missing`, `normalize` and `split_seed` are read.
        class_weight: how much classes count in the loss: "balanced", or a dictionary with the
            weight of each label (1 for those that are not named). None: as the config says.
        random_state: the config's `seed`, an integer; or a `RandomState`, or None for NumPy's
            global one, from which it is drawn.
        validation: fraction of the sequences that is held out of the training to choose the
            weights by (`select`); 0: all are trained on, and the last weights become the model.
        time_last: whether sequences are given as aeon has them, `[N, D, T]` and `[D, T_i]`.
        verbose: whether `fit` prints what it trains, and the progress.

    Attributes:
        classes_: the labels, sorted.
        n_features_in_: D, the number of features of a time step.
        model_: the Keras model; it gives logits for normalised sequences.
        spec_: the `DatasetSpec` of the training data.
        config_: the whole `Config` of the training.
        history_: the records of the training, a dictionary each, as in `metrics.jsonl`.
        notes_: lines that tell what is unusual about the data.
        input_range_: the lowest and the highest value of each feature.

    Each key of the config is a parameter too, with `config__` before it: for
    `set_params(**{"config__model.units": [64]})` and the grid of a search.

    Example:
        >>> from sklearn.model_selection import cross_val_score
        >>> rng = np.random.default_rng(0)
        >>> y = np.array(["busy", "calm"] * 10)
        >>> X = [rng.normal(size=(rng.integers(4, 9), 2)) + 4 * (label == "busy") for label in y]
        >>> classifier = SequenceClassifier({"model.units": [8], "steps": 60, "jit_compile": False})
        >>> print(cross_val_score(classifier, X, y, cv=2))  # doctest: +SKIP
        [1. 1.]
    """

    def __init__(
        self,
        config: Any = None,
        *,
        class_weight: Any = None,
        random_state: Any = 0,
        validation: float = 0.0,
        time_last: bool = False,
        verbose: bool = False,
    ):
        self.config = config
        self.class_weight = class_weight
        self.random_state = random_state
        self.validation = validation
        self.time_last = time_last
        self.verbose = verbose

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> "SequenceClassifier":
        """Trains a new model.

        Args:
            X: a list of arrays `[T_i, D]` or `[T_i]`, of any lengths; or an array `[N, T, D]` or
                `[N, T]`, or a data frame with a row for each sequence: then all sequences, those
                of `predict` too, have T time steps.
            y: `[N]`, the label of each sequence: integers, strings or booleans.
            sample_weight: `[N]` numbers of 0 or more, how much each counts in the loss; None: all
                alike.
            groups: `[N]`, the group of each sequence, if `validation` is above 0: none has
                sequences in both parts. None: the parts keep the proportions of the classes.

        Returns:
            The estimator itself.

        Raises:
            DataError: X, y, the weights or the groups cannot be used.
            ConfigError: the config cannot be used.
            TrainingError: the loss is no longer finite.
        """
        start_quietly()
        from seqclf.data.input_range import input_range

        options = configs.data_options(self.config)
        x, lengths = sequences_of(X, self.time_last)
        warn_of_axis_order(x, lengths, self.time_last)
        classes, index = classes_of(y, len(x))
        weights = weights_of(sample_weight, len(x))
        names = [str(label) for label in classes.tolist()]
        dataset = self._dataset(x, index, lengths, names, weights, groups, options)
        config = configs.whole_config(
            self.config, dataset, self.random_state, self.class_weight, classes
        )
        model, self.history_ = train(config, dataset, self.verbose)
        self.model_, self.config_, self.spec_, self.classes_ = model, config, dataset.spec, classes
        self.n_features_in_ = x.shape[2]
        self.notes_, self.input_range_ = dataset.notes, input_range(dataset)
        return self

    def _dataset(
        self,
        x: np.ndarray,
        index: np.ndarray,
        lengths: np.ndarray | None,
        names: list[str],
        weights: np.ndarray | None,
        groups: Any,
        options: dict[str, Any],
    ) -> "Dataset":
        from seqclf.data.dataset import Dataset

        if groups is not None and not self.validation:
            raise DataError(
                "`groups` says which sequences must not be in both parts, and all are trained on: "
                "set `validation` above 0, or leave out `groups`. Received: groups, validation="
                f"{self.validation!r}"
            )
        return Dataset.from_arrays(
            x,
            index,
            lengths=lengths,
            class_names=names,
            weights=weights,
            groups=groups,
            split_by="class" if groups is None else "group",
            validation=self.validation,
            test=0,
            **options,
        )

    def predict_proba(self, X: Any) -> np.ndarray:
        """Returns the probability of each class, float32 `[N, C]`, in the order of `classes_`.

        Args:
            X: sequences in one of the forms that `fit` takes.

        Warns:
            InputWarning: values or lengths are far from those of the training.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: X has another number of features or time steps, or values that cannot be
                used.
        """
        return self._probabilities(X)

    def predict(self, X: Any) -> np.ndarray:
        """Returns the most probable label of each sequence, `[N]`; see `predict_proba`."""
        chosen = self._probabilities(X).argmax(-1)
        labels: np.ndarray = self.classes_[chosen]
        return labels

    def _probabilities(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        x, lengths = sequences_of(X, self.time_last)
        self._check_shape(x, lengths)
        examples = raw_examples(x, lengths, self.spec_)
        facts = ModelFacts(self.spec_, InputRange.from_json(self.input_range_))
        warn_of_inputs(examples, facts, padded=False, stacklevel=3)
        return classified(self.model_, self.spec_, examples).probabilities

    def _check_shape(self, x: np.ndarray, lengths: np.ndarray | None) -> None:
        features, spec = x.shape[2], self.spec_
        if features != self.n_features_in_:
            raise DataError(
                f"X has {features} features, but SequenceClassifier is expecting "
                f"{self.n_features_in_} features as input"
            )
        given = {x.shape[1]} if lengths is None else set(lengths.tolist())
        if not spec.variable_length and given != {spec.time_steps}:
            other = min(given - {spec.time_steps})
            raise DataError(
                f"SequenceClassifier was fitted on an array of sequences of {spec.time_steps} time "
                "steps: fit it on a list of sequences if lengths differ. Received: a sequence of "
                f"{other} time steps"
            )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the parameters by name.

        Args:
            deep: whether to return the keys of the dictionary `config` too, with `config__` before
                them.
        """
        params: dict[str, Any] = super().get_params(deep=False)
        if deep:
            keys = configs.given_keys(self.config)
            params |= {KEY + key: value for key, value in keys.items()}
        return params

    def set_params(self, **params: Any) -> "SequenceClassifier":
        """Sets parameters; those that begin with `config__` change keys of `config`.

        Raises:
            ValueError: there is no such parameter or key.
        """
        keys = {name: params.pop(name) for name in list(params) if name.startswith(KEY)}
        super().set_params(**params)
        if keys:
            values = {name.removeprefix(KEY): value for name, value in keys.items()}
            self.config = configs.with_keys(self.config, values)
        return self

    def save(self, path: str | Path) -> None:
        """Writes the fitted estimator into a folder; an estimator that it holds is replaced.

        The folder is a run directory too: `seqclf.predict`, `seqclf.export` and the commands read
        it. It holds the labels and the range of the values, but no data.

        Raises:
            NotFittedError: `fit` has not been called.
            RunError: the folder holds something else.
            StorageError: it cannot be written.
        """
        check_is_fitted(self, "model_")
        files.save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> "SequenceClassifier":
        """Returns the estimator that `save` wrote. Nothing in the files is executed.

        Raises:
            RunError: there is none, or it is damaged.
        """
        estimator = cls()
        files.load(estimator, path)
        return estimator

    def export(
        self, export_dir: str | Path, *, keep: int = 0, litert: str = "", onnx: bool = False
    ) -> Path:
        """Exports the model for TensorFlow Serving, as `seqclf.export` does.

        Args:
            export_dir: the folder of the versions; it is created if needed.
            keep: number of newest versions to keep; 0 keeps all.
            litert: `float32` or `int8` to write a LiteRT file too; empty: none.
            onnx: whether to write an ONNX file too; it needs the extra `onnx` (docs/serving.md).

        Returns:
            The folder of the new version, `EXPORT_DIR/<version>`.

        Raises:
            NotFittedError: `fit` has not been called.
            ExportError: the folder cannot be written, or a check failed; nothing is published.
        """
        check_is_fitted(self, "model_")
        return files.export(self, export_dir, keep, litert, onnx)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "model_" in state:
            state["model_"] = state["model_"].get_weights()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "model_" in state:
            start_quietly()
            self.model_ = rebuilt(self.config_, self.spec_, state["model_"])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        try:
            tags.input_tags.allow_nan = configs.data_options(self.config)["missing"] != "error"
        except ConfigError:  # `fit` says what is wrong
            tags.input_tags.allow_nan = False
        return tags
