"""`InputMonitor`: warns in the server's log about inputs that a model probably misreads."""

import collections
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import tensorflow as tf

from seqclf.serving.input_warnings import input_warnings
from seqclf.serving.server.model import ServedModel


class InputMonitor:
    """Checks the inputs of requests and counts those that are suspicious.

    A kind of warning is logged for its first request, then for the tenth, the hundredth and so on.

    Args:
        log: is called with one line.
    """

    def __init__(self, log: Callable[[str], None]):
        self._log = log
        self._counts: collections.Counter[tuple[int, str]] = collections.Counter()

    def check_inputs(self, model: ServedModel, inputs: Mapping[str, np.ndarray]) -> None:
        """Checks the inputs of a prediction."""
        self._report(model, input_warnings(inputs, model.input_range, model.spec))

    def check_examples(self, model: ServedModel, strings: Iterable[bytes]) -> None:
        """Checks the feature `inputs` of serialized `tf.Example` messages."""
        if model.input_range is None:
            return
        for string in strings:
            x = _feature_values(string)
            if x.size % model.input_range.low.size or not x.any():
                continue  # a blank example only asks for the class names
            x = x.reshape(1, -1, model.input_range.low.size)
            if found := input_warnings({"inputs": x}, model.input_range, model.spec):
                self._report(model, found)
                return

    def _report(self, model: ServedModel, found: Mapping[str, str]) -> None:
        for kind, warning in found.items():
            self._counts[model.version, kind] += 1
            count = self._counts[model.version, kind]
            if str(count).strip("0") == "1":  # 1, 10, 100, …
                requests = "1 request" if count == 1 else f"{count} requests so far, now"
                self._log(f"version {model.version}: warning ({requests}): {warning}")


def _feature_values(string: bytes) -> np.ndarray:
    feature = tf.train.Example.FromString(string).features.feature["inputs"]
    return np.array(feature.int64_list.value or feature.float_list.value)
