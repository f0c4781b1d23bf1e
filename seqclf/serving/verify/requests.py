"""The requests that a model is probed with: valid ones, and ones that it must refuse."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

from seqclf.serving.verify.run_probe import Call
from seqclf.serving.verify.signatures import SignatureDefs, varying_axes

BATCHES = (1, 3)
WRONG_BATCH = 2  # so that two examples of half the size could be mistaken for a whole one
PADDING = 3  # elements that are added in each dimension of varying size
UNKNOWN = 2  # size given to a dimension that a signature leaves open


@dataclass(frozen=True)
class Golden:
    """Expected outputs of a signature, computed independently, for instance by the Keras model.

    Attributes:
        signature: name of the signature.
        inputs: values by the names of the inputs, `[B, ...]`; strings as objects or texts.
        outputs: expected values by the names of the outputs, `[B, ...]`; some may be left out.
    """

    signature: str
    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]


@dataclass(frozen=True)
class ProbeRequest:
    """A request that the probe makes.

    Attributes:
        purpose: why it is made: `batch`, `wrong shape`, `padding`, `warm-up` or `golden`.
        signature: name of the signature.
        inputs: values by the names of the inputs.
        label: how messages name the request.
    """

    purpose: str
    signature: str
    inputs: dict[str, np.ndarray]
    label: str

    @property
    def batch(self) -> int:
        """Size of the first dimension, 0 where there is none."""
        first = next(iter(self.inputs.values()), np.zeros(()))
        return first.shape[0] if first.ndim else 0

    def call(self, signatures: SignatureDefs) -> Call:
        """Returns the run of the graph that answers the request."""
        signature = signatures[self.signature]
        feeds = {signature.inputs[key].name: value for key, value in self.inputs.items()}
        fetches = {key: signature.outputs[key].name for key in sorted(signature.outputs)}
        return Call(feeds, fetches, values=self.purpose in ("golden", "padding"))


@dataclass(frozen=True)
class SignatureRequests:
    """The requests to one signature, all made from the same example.

    Attributes:
        source: where the example comes from: `golden`, `warm-up` or `made-up`.
        batches: requests of the sizes `BATCHES`, the first of which must be answered.
        wrong: requests that must be refused.
        padding: where sizes vary, a request and the same one with padded inputs; otherwise none.
        reason: why there are no requests; empty if there are.
    """

    source: str = ""
    batches: tuple[ProbeRequest, ...] = ()
    wrong: tuple[ProbeRequest, ...] = ()
    padding: tuple[ProbeRequest, ...] = ()
    reason: str = ""

    def all(self) -> tuple[ProbeRequest, ...]:
        """Returns all requests to the signature."""
        return (*self.batches, *self.wrong, *self.padding)


def make_signature_requests(
    name: str, signature: SignatureDef, given: Sequence[ProbeRequest]
) -> SignatureRequests:
    """Returns the requests to a signature.

    Args:
        name: name of the signature.
        signature: inputs and outputs of the signature.
        given: valid requests from goldens and warm-up. The first that names the signature is the
            example; without one, an example is made up.
    """
    if not signature.inputs or not signature.outputs:
        return SignatureRequests(reason=f"`{name}` lacks inputs or outputs")
    for key, info in [*sorted(signature.inputs.items()), *sorted(signature.outputs.items())]:
        if not info.name:
            return SignatureRequests(reason=f"`{key}` of `{name}` is not a dense tensor")
    for request in given:
        if request.signature == name and all(value.size for value in request.inputs.values()):
            source, example = request.purpose, request.inputs
            break
    else:
        source, (example, missing) = "made-up", _made_up_example(signature)
        if missing:
            reason = f"no value can be made up for `{missing}` of `{name}`, a string or of any rank"
            return SignatureRequests(reason=f"{reason}: give warm-up requests")
    batches = tuple(
        ProbeRequest(
            "batch", name, _resized(signature, example, size), f"`{name}`, a batch of {size}"
        )
        for size in BATCHES
    )
    wrong = tuple(_wrong_shapes(name, signature, _resized(signature, example, WRONG_BATCH)))
    padding = tuple(_padding_requests(name, signature, _resized(signature, example, 1)))
    return SignatureRequests(source, batches, wrong, padding)


def _made_up_example(signature: SignatureDef) -> tuple[dict[str, np.ndarray], str]:
    """Returns values for all inputs, and the name of an input for which there is none, or ""."""
    example = {}
    for key, info in sorted(signature.inputs.items()):
        value = _made_up(info)
        if value is None:
            return {}, key
        example[key] = value
    return example, ""


def input_problems(signature: SignatureDef, inputs: dict[str, np.ndarray]) -> list[str]:
    """Returns why the server would refuse inputs before it runs the graph."""
    if set(inputs) != set(signature.inputs):
        return [f"it has the inputs {sorted(inputs)}, not {sorted(signature.inputs)}"]
    problems = []
    for key, value in sorted(inputs.items()):
        given = tf.dtypes.as_dtype(value.dtype)
        wanted = tf.dtypes.as_dtype(signature.inputs[key].dtype)
        if given != wanted:
            problems.append(f"input `{key}` is {given.name}, not {wanted.name}")
    return problems


def _made_up(info: TensorInfo) -> np.ndarray | None:
    """Returns an array of ones for an input, or None if no value can be made up.

    Zeros would hide a division by zero, and are not valid lengths.
    """
    kind = tf.dtypes.as_dtype(info.dtype)
    if kind == tf.string or not (kind.is_numpy_compatible and info.dtype):
        return None
    if info.tensor_shape.unknown_rank:
        return None
    sizes = _sizes(info)
    shape = [UNKNOWN if size < 0 else size for size in sizes[1:]]
    return np.ones([max(sizes[0], 1), *shape] if sizes else [], kind.as_numpy_dtype)


def _resized(
    signature: SignatureDef, example: dict[str, np.ndarray], batch: int
) -> dict[str, np.ndarray]:
    """Repeats or cuts the rows of an example to a batch, where the signature leaves it open."""
    inputs = {}
    for key, value in example.items():
        sizes = _sizes(signature.inputs[key])
        is_open = value.ndim and (not sizes or sizes[0] < 0)
        rows = np.arange(batch) % len(value) if is_open else ...
        inputs[key] = value[rows]
    return inputs


def _wrong_shapes(
    name: str, signature: SignatureDef, right: dict[str, np.ndarray]
) -> Iterator[ProbeRequest]:
    """Yields requests in which one input has another size than the signature fixes."""
    for key, value in right.items():
        sizes = _sizes(signature.inputs[key])
        fixed = [axis for axis, size in enumerate(sizes) if axis and size > 0]
        if not fixed or value.dtype.kind in "OSU" or value.ndim != len(sizes):
            continue
        axis, size = fixed[0], sizes[fixed[0]]
        shapes = [
            (*value.shape[:axis], other, *value.shape[axis + 1 :])
            for other in (2 * size, size // 2)
            if other
        ]
        shapes.append(value.shape[:axis] + value.shape[axis + 1 :])
        for shape in shapes:
            label = f"`{key}` of `{name}` with the shape {list(shape)} instead of {sizes}"
            yield ProbeRequest("wrong shape", name, {**right, key: np.resize(value, shape)}, label)


def _padding_requests(
    name: str, signature: SignatureDef, example: dict[str, np.ndarray]
) -> Iterator[ProbeRequest]:
    """Yields a request and the same one as the server pads it, if any of its sizes vary."""
    axes = {key: varying_axes(info) for key, info in signature.inputs.items()}
    axes = {key: found for key, found in axes.items() if found and example[key].size}
    if not axes:
        return
    padded = {key: _padded(example[key], found) for key, found in axes.items()}
    yield ProbeRequest("padding", name, example, f"`{name}`, a request that is not padded")
    yield ProbeRequest("padding", name, example | padded, f"`{name}`, a padded request")


def _padded(value: np.ndarray, axes: list[int]) -> np.ndarray:
    """Pads an input with its first element, as the server does (batching_util.cc)."""
    widths = [(0, PADDING if axis in axes else 0) for axis in range(value.ndim)]
    return np.pad(value, widths, constant_values=value.flat[0])


def _sizes(info: TensorInfo) -> list[int]:
    return [dim.size for dim in info.tensor_shape.dim]
