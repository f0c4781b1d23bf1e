"""`RemotePredictor`: predictions from a server, as `Predictor` makes them on this machine.

It does not import TensorFlow.
"""

import math

import numpy as np

from seqclf.client.tensors import Signature
from seqclf.serving.batching import MAX_BATCH_SIZE
from seqclf.serving.client import Client, NotFound
from seqclf.serving.model_input import ARRAYS, IMAGES, ModelInput


class RemotePredictor:
    """Classifies examples with a server that serves an export of seqclf. It is a `Classifier`.

    Args:
        client: a client from `seqclf.serving.client.connect`.

    Attributes:
        input: description of the inputs that the model takes.

    Raises:
        ServingError: the server cannot be reached, or does not serve an export of seqclf.
    """

    batch_size = MAX_BATCH_SIZE

    def __init__(self, client: Client):
        self._client = client
        self._signatures = client.metadata()
        self._names: tuple[str, ...] | None = None
        dtype, shape = self._raw_input()
        self.input = ModelInput(
            dtype,
            shape,
            "lengths" in self._signature(ARRAYS).inputs,
            IMAGES in self._signatures,
            client.facts.spec,
            client.facts.input_range,
            len(self._signature(ARRAYS).outputs["class_index"].shape or ()) == 2,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The class names, by index. They are asked for once, by classifying a blank example.

        A model that classifies time steps cannot be asked so: the facts of the client have them.
        """
        if self._names is None and self.input.per_step:
            if self.input.spec is None:
                raise NotFound(
                    "the served model",
                    "it classifies time steps, and does not say the names of its classes",
                    "Give the manifest.json of the version that is served (--manifest).",
                )
            self._names = self.input.spec.class_names
        if self._names is None:
            self._signature("classify")
            dtype, shape = self._raw_input()
            # The feature has the type of the data, which may differ from `serving_default`'s.
            whole = IMAGES in self._signatures or dtype == "uint8"
            blank = [0 if whole else 0.0] * math.prod(size or 1 for size in shape)
            (scored,) = self._client.classify([{"inputs": blank}])
            self._names = tuple(name for name, _ in scored)
        return self._names

    def ask(
        self, signature: str, inputs: dict[str, np.ndarray], where: str
    ) -> dict[str, np.ndarray]:
        """Asks a signature, see `Predictor.ask`; each call has the whole time-out.

        Raises:
            ServingError: the server does not answer, or refuses the request.
        """
        del where
        return self._client.predict(inputs, signature)

    def _signature(self, name: str) -> Signature:
        if name not in self._signatures:
            raise NotFound(
                "the served model",
                f"it has no signature {name!r}; it has {', '.join(sorted(self._signatures))}",
                "Serve an export of seqclf.",
            )
        return self._signatures[name]

    def _raw_input(self) -> tuple[str, tuple[int | None, ...]]:
        """Returns dtype and shape of a raw example; None for a dimension of any size."""
        info = self._signature(ARRAYS).inputs.get("inputs")
        if info is None:
            raise NotFound(
                "the served model",
                "it classifies nothing: `serving_default` has no input `inputs`",
                "A served language model is asked by seqclf.connect(…).score and .generate.",
            )
        return info.dtype, tuple(None if size < 0 else size for size in (info.shape or ())[1:])
