"""Reads the warm-up requests of a version; the server refuses a model if one of them fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped, unused-ignore]
from tensorflow_serving.apis import (  # type: ignore[import-untyped, unused-ignore]
    prediction_log_pb2,
)

from seqclf.serving.file_names import WARMUP
from seqclf.serving.object_arrays import object_array
from seqclf.serving.verify.batching import Batching
from seqclf.serving.verify.requests import ProbeRequest, input_problems
from seqclf.serving.verify.signatures import DEFAULT, SignatureDefs

MAX_RECORDS = 1000  # the server's
STANDARD_INPUT = "inputs"  # of Classify and Regress


def read_warmup(
    folder: Path, signatures: SignatureDefs, batching: Batching | None
) -> tuple[list[str] | None, list[ProbeRequest]]:
    """Reads the file of warm-up requests.

    Args:
        folder: the version's folder.
        signatures: the signatures that requests may name.
        batching: the batching parameters of the version; None if there are none.

    Returns:
        What is wrong with the records, or None if there is no file; and the requests that can be
        sent.
    """
    problems: list[str] = []
    requests: list[ProbeRequest] = []
    if not (folder / WARMUP).exists():
        return None, requests
    number = 0
    for number, record in enumerate(_records(folder / WARMUP, problems), start=1):
        if number > MAX_RECORDS:
            problems.append(f"there are more than {MAX_RECORDS} records")
            break
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
            found = list(_requests(log, number, signatures))
        except (DecodeError, ValueError, TypeError) as error:
            problems.append(f"record {number}: {error}")
            continue
        for request in found:
            wrong = input_problems(signatures[request.signature], request.inputs)
            problems += [f"{request.label}: {problem}" for problem in wrong]
            requests += [] if wrong else [request]
    if not number and not problems:
        problems.append("it holds no records")
    if batching:
        problems += _batch_problems(requests, signatures, batching)
    return problems, requests


def _records(path: Path, problems: list[str]) -> Iterator[bytes]:
    """Yields the records of a TFRecord file; other formats and damage are added to `problems`."""
    level = tf.get_logger().level
    # This reader prints a notice that tf.data has replaced it. tf.data would start TensorFlow's
    # eager runtime and take the memory of a GPU.
    tf.get_logger().setLevel("ERROR")
    try:
        yield from tf.compat.v1.io.tf_record_iterator(str(path))
    except tf.errors.OpError as error:
        problems.append(f"it is not an uncompressed, whole TFRecord file ({error.message})")
    finally:
        tf.get_logger().setLevel(level)


def _requests(log: Any, number: int, signatures: SignatureDefs) -> Iterator[ProbeRequest]:
    """Yields the requests in a record, usually one.

    Raises:
        ValueError: the server would refuse the record, or warm nothing up with it.
    """
    kind = log.WhichOneof("log_type")
    label = f"warm-up record {number}"
    if kind == "predict_log":
        request = log.predict_log.request
        name = _signature(request.model_spec, signatures)
        inputs = {key: tf.make_ndarray(proto) for key, proto in request.inputs.items()}
        if unknown := set(request.output_filter) - set(signatures[name].outputs):
            raise ValueError(f"`{name}` has no output {sorted(unknown)}")
        yield ProbeRequest("warm-up", name, inputs, label)
    elif kind in ("classify_log", "regress_log"):
        request = getattr(log, kind).request
        name = _signature(request.model_spec, signatures)
        yield ProbeRequest("warm-up", name, {STANDARD_INPUT: _examples(request.input)}, label)
    elif kind == "multi_inference_log":
        request = log.multi_inference_log.request
        for task in request.tasks:
            name = _signature(task.model_spec, signatures)
            yield ProbeRequest("warm-up", name, {STANDARD_INPUT: _examples(request.input)}, label)
    else:
        raise ValueError(f"a server warms nothing with {kind or 'an empty PredictionLog'}")


def _signature(model_spec: Any, signatures: SignatureDefs) -> str:
    name = model_spec.signature_name or DEFAULT
    if name not in signatures:
        raise ValueError(f"there is no signature `{name}`")
    return name


def _examples(message: Any) -> np.ndarray:
    """Returns the serialized examples of an Input message, [N], each after its context if any."""
    context = b""
    if message.WhichOneof("kind") == "example_list_with_context":
        context = message.example_list_with_context.context.SerializeToString()
        examples = message.example_list_with_context.examples
    else:
        examples = message.example_list.examples
    if not examples:
        raise ValueError("it has no examples")
    return object_array(context + example.SerializeToString() for example in examples)


def _batch_problems(
    requests: list[ProbeRequest], signatures: SignatureDefs, batching: Batching
) -> list[str]:
    problems = [
        f"{request.label} has a batch of {request.batch}, above max_batch_size {batching.largest}"
        for request in requests
        if request.batch > batching.largest
    ]
    for name in signatures:
        sizes = {request.batch for request in requests if request.signature == name}
        if missing := sorted(set(batching.sizes) - sizes):
            problems.append(f"`{name}` is not warmed with the allowed batch sizes {missing}")
    return problems
