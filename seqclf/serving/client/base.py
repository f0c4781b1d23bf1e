"""`Client`: the part of the client that REST and gRPC share: NumPy, data frames, warnings."""

from typing import Any

import numpy as np

from seqclf.client.address import Address
from seqclf.client.base import BaseClient, Prepared
from seqclf.client.base import Classification as Classification
from seqclf.client.tensors import Signature
from seqclf.serving.client.options import ClientOptions
from seqclf.serving.client.prepared import prepare
from seqclf.serving.client.tensors import NumpyArrays
from seqclf.serving.model_facts import ModelFacts


class Client(BaseClient[np.ndarray]):
    """A model on a server. `connect` makes a client; several threads may share it.

    Args:
        address: parts of the model's URL.
        options: the arguments of `connect`.
    """

    arrays = NumpyArrays()
    options: ClientOptions

    def __init__(self, address: Address, options: ClientOptions):
        super().__init__(address, options)
        self._served_facts = ModelFacts()  # from the server's metadata

    @property
    def facts(self) -> ModelFacts:
        """Facts about the training data, from the manifest or else from the server.

        The local server (`seqclf.serve`) sends them with the first answer to `metadata`;
        TensorFlow Serving does not send them.
        """
        given, served = self.options.facts, self._served_facts
        return ModelFacts(given.spec or served.spec, given.input_range or served.input_range)

    def _prepare(self, inputs: Any, signature: Signature) -> Prepared[np.ndarray]:
        return prepare(inputs, signature, self.facts)

    def _note_facts(self, facts: Any) -> None:
        self._served_facts = ModelFacts.from_json(facts)
