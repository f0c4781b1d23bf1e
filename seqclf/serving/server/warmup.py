"""The warm-up requests that come with a version: the server runs them when it loads it."""

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from seqclf.serving.file_names import WARMUP
from seqclf.serving.server.model import DEFAULT_SIGNATURE, ServedModel
from seqclf.serving.server.tensors import TensorMap, array_from_proto, serialized_examples


def replay_warmup(model: ServedModel) -> int:
    """Runs the warm-up requests of a version, as TensorFlow Serving does.

    Returns:
        The number of requests.

    Raises:
        Exception: the file is damaged, or a request fails.
    """
    path = model.path / WARMUP
    if not path.is_file():
        return 0
    count = 0
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        request = _request_in(record, model)
        if request is None:
            continue
        signature, inputs = request
        if signature not in model.signatures:
            raise ValueError(f"{path} has a request for the unknown signature {signature!r}.")
        model.check_inputs(signature, inputs)
        model.run(signature, inputs)
        count += 1
    return count


def _request_in(record: bytes, model: ServedModel) -> tuple[str, TensorMap] | None:
    """Returns the signature and the inputs in a record; None if it holds another kind of log."""
    log = prediction_log_pb2.PredictionLog.FromString(record)
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        predict = log.predict_log.request
        inputs = {key: array_from_proto(value) for key, value in predict.inputs.items()}
        return predict.model_spec.signature_name or DEFAULT_SIGNATURE, inputs
    if kind == "classify_log":
        classify = log.classify_log.request
        name = classify.model_spec.signature_name
        inputs = model.classification_inputs(name, serialized_examples(classify.input))
        return name or DEFAULT_SIGNATURE, inputs
    return None
