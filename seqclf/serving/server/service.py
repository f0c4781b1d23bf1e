"""`Service`: what the server does; REST and gRPC are thin layers over it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from google.protobuf import wrappers_pb2
from tensorflow.core.protobuf import error_codes_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from seqclf.serving.model_facts import METADATA_KEY
from seqclf.serving.server.batcher import Batcher
from seqclf.serving.server.fault import Fault, invalid
from seqclf.serving.server.input_monitor import InputMonitor
from seqclf.serving.server.metrics import Metrics
from seqclf.serving.server.model import CLASSIFY_OUTPUTS, DEFAULT_SIGNATURE, ServedModel
from seqclf.serving.server.tensors import TensorMap
from seqclf.serving.server.versions import Versions

LARGE_BODY = 100_000  # bytes; to parse it in the event loop would hold up all other requests

T = TypeVar("T")


class Service:
    """A model with its batcher and its metrics.

    Args:
        versions: the loaded versions.
        batcher: runs them.
        timeout: seconds that a prediction may take, waiting included.
        log: is called with one line about inputs that the model probably misreads.
    """

    def __init__(
        self,
        versions: Versions,
        batcher: Batcher,
        timeout: float = 30.0,
        log: Callable[[str], None] = print,
    ):
        self.versions = versions
        self.batcher = batcher
        self.metrics = Metrics()
        self._timeout = timeout
        self._input_monitor = InputMonitor(log)
        # One at a time: a parsed request takes several times the memory of its text.
        self._parser = ThreadPoolExecutor(1, thread_name_prefix="parser")

    async def predict(
        self,
        model: ServedModel,
        signature: str,
        inputs: TensorMap,
        output_names: list[str] | None = None,
    ) -> TensorMap:
        """Runs a signature.

        Args:
            model: the version.
            signature: name of the signature; "" is the default one.
            inputs: arrays by name.
            output_names: the outputs to return; None or an empty list returns all.

        Raises:
            Fault: FAILED_PRECONDITION if the signature is not known, INVALID_ARGUMENT if an output
                is not known or named twice, DEADLINE_EXCEEDED; or as `Batcher.run` raises it.
        """
        name = signature or DEFAULT_SIGNATURE
        if name not in model.signatures:
            raise Fault("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        if output_names:
            _check_output_names(output_names, model.signatures[name])
        inputs = model.with_lengths(name, inputs)
        outputs = await self._within_timeout(self.batcher.run(model, name, inputs))
        self._input_monitor.check_inputs(model, inputs)
        return {name: outputs[name] for name in output_names} if output_names else outputs

    async def classify(self, model: ServedModel, signature: str, strings: np.ndarray) -> TensorMap:
        """Classifies `tf.Example` messages.

        Args:
            model: the version.
            signature: name of the signature; "" is the default one.
            strings: serialized messages, object array `[B]` of bytes.

        Returns:
            `classes`, object array `[B, C]` of bytes, and/or `scores`, float32 `[B, C]`.

        Raises:
            Fault: as `predict`, or the signature does not classify.
        """
        inputs = model.classification_inputs(signature, strings)
        running = self.batcher.run(model, signature or DEFAULT_SIGNATURE, inputs)
        outputs = await self._within_timeout(running)
        outputs = {key: value for key, value in outputs.items() if key in CLASSIFY_OUTPUTS}
        _check_classification(outputs, len(strings))
        self._input_monitor.check_examples(model, strings)
        return outputs

    def signature_metadata(self, model: ServedModel) -> Any:
        """Returns the signatures of a version as a GetModelMetadataResponse."""
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in model.definitions.items():
            signatures.signature_def[name].CopyFrom(definition)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = self.versions.name
        response.model_spec.version.value = model.version
        response.metadata["signature_def"].Pack(signatures)
        if model.facts:
            text = wrappers_pb2.StringValue(value=json.dumps(model.facts))
            response.metadata[METADATA_KEY].Pack(text)
        return response

    def version_status(self, name: str, version: int | None) -> Any:
        """Returns the states of a version, or of all, as a GetModelStatusResponse.

        Raises:
            Fault: NOT_FOUND.
        """
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, status in self.versions.statuses(name, version).items():
            entry = response.model_version_status.add(version=number)
            entry.state = getattr(get_model_status_pb2.ModelVersionStatus, status.state)
            entry.status.error_code = error_codes_pb2.UNKNOWN if status.error else 0
            entry.status.error_message = status.error
        return response

    async def parse_body(self, parse: Callable[..., T], body: bytes, *arguments: Any) -> T:
        """Returns `parse(body, *arguments)`; a large body is parsed in another thread."""
        if len(body) < LARGE_BODY:
            return parse(body, *arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._parser, parse, body, *arguments)

    async def _within_timeout(self, running: Awaitable[TensorMap]) -> TensorMap:
        try:
            return await asyncio.wait_for(running, self._timeout)
        except (TimeoutError, asyncio.TimeoutError):
            raise Fault("DEADLINE_EXCEEDED", f"No answer within {self._timeout:g} s.") from None

    def close(self) -> None:
        """Stops looking for versions and ends all threads."""
        self.versions.stop()
        self.batcher.close()
        self._parser.shutdown()


def _check_output_names(names: list[str], definition: Any) -> None:
    for name in names:
        if name not in definition.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be "
                f"in the set {{{','.join(sorted(definition.outputs))}}}."
            )
    if len(set(names)) < len(names):
        raise invalid(f"duplicate output tensor alias: {','.join(names)}")


def _check_classification(outputs: TensorMap, examples: int) -> None:
    for name, value in outputs.items():
        wanted = object if name == "classes" else np.float32
        if value.ndim != 2 or len(value) != examples or value.dtype != wanted:
            raise invalid(
                f"Expected {name} of the shape [batch_size, num_classes], {examples} "
                f"examples, strings or float32. The model gave {list(value.shape)}, "
                f"{'string' if value.dtype == object else value.dtype}."
            )
    if len({value.shape for value in outputs.values()}) != 1:
        raise invalid("Tensors classes and scores should match in their number of classes.")
