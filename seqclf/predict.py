"""Classifies image files or sequences with an exported model, on this machine or on a server.

python -m seqclf.predict --model=models/mnist digit.png other.jpg
python -m seqclf.predict --model=models/mnist --json sequences.npz
python -m seqclf.predict --server=http://localhost:8501/v1/models/seqclf digit.png
python -m seqclf.predict --server=grpc://localhost:8500/seqclf digit.png
"""

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from absl import flags

from seqclf.console import app
from seqclf.console.progress import announce
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.serving.predictions import Prediction
    from seqclf.serving.predictor import Predictor

MODEL = flags.DEFINE_string("model", None, "Exported model: EXPORT_DIR or EXPORT_DIR/<version>.")
SERVER = flags.DEFINE_string("server", None, "Address of a served model, http:// or grpc://.")
INVERT = flags.DEFINE_bool("invert", False, "Swap dark and bright in images first.")
TOP = flags.DEFINE_integer("top", 3, "Classes to print for each example.", lower_bound=1)
JSON = flags.DEFINE_bool("json", False, "Print JSON instead of text.")
TIMEOUT = flags.DEFINE_float("timeout", 10.0, "Seconds to wait for a server.", lower_bound=0.001)
WAIT = flags.DEFINE_float(
    "wait", 0.0, "Seconds to wait until a server has the model ready.", lower_bound=0.0
)
HEADER = flags.DEFINE_multi_string(
    "header", [], "For a server: a header 'Name: value', such as a token."
)
CA_FILE = flags.DEFINE_string("ca_file", None, "For a server: file with the certificates to trust.")
MANIFEST = flags.DEFINE_string(
    "manifest",
    None,
    "For a server: manifest.json of the served version; inputs far outside the range of the "
    "training inputs are then warned about.",
)


def check(argv: Sequence[str]) -> None:
    """Checks the flags without TensorFlow, so that a mistake is reported at once."""
    from pathlib import Path

    from seqclf.serving.versions import version_folder

    if (MODEL.value is None) == (SERVER.value is None):
        raise ConfigError("Give either --model=EXPORT_DIR or --server=ADDRESS.")
    if len(argv) < 2:
        raise ConfigError("Name at least one PNG, JPEG or .npz file.")
    if MODEL.value is not None:
        version_folder(Path(MODEL.value).expanduser())


def main(argv: Sequence[str]) -> None:
    """Classifies the files and prints the predictions."""
    predict = predict_here if SERVER.value is None else predict_on_server
    predictions, names = predict(argv[1:])
    print_predictions = print_json if JSON.value else print_text
    print_predictions(predictions, names)


def predict_here(paths: Sequence[str]) -> tuple[list["Prediction"], tuple[str, ...]]:
    """Returns the predictions of the model --model for files, and its class names."""
    predictor = load_predictor()
    predictions = [p for path in paths for p in predictor.predict_file(path, INVERT.value)]
    for path in paths:
        for warning in predictor.warnings(path, INVERT.value):
            print(f"warning: {warning}", file=sys.stderr)
    return predictions, predictor.spec.class_names


def load_predictor() -> "Predictor":
    """Returns the model --model, ready to predict."""
    import os

    from seqclf.console.quiet import quiet_start
    from seqclf.serving.predictor import Predictor

    announce("Loading the model")
    # Starting a GPU takes longer than most predictions. CUDA_VISIBLE_DEVICES=0 switches it on.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    with quiet_start("2"):
        return Predictor(MODEL.value)


def predict_on_server(paths: Sequence[str]) -> tuple[list["Prediction"], tuple[str, ...]]:
    """Returns the predictions of the server --server for files, and its class names."""
    from seqclf.serving.client import InputWarning, connect
    from seqclf.serving.remote_predictor import RemotePredictor

    headers = {}
    for header in HEADER.value:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            raise ConfigError("--header takes 'Name: value'.")
        headers[name.strip()] = value.strip()
    ca_file = CA_FILE.value and os.path.expanduser(CA_FILE.value)
    manifest = MANIFEST.value and os.path.expanduser(MANIFEST.value)
    options = {"timeout": TIMEOUT.value, "headers": headers, "ca_file": ca_file}
    options["manifest"] = manifest
    with connect(SERVER.value, **options) as client, _printed_warnings(InputWarning):
        if WAIT.value:
            client.wait_until_available(WAIT.value)
        predictor = RemotePredictor(client)
        predictions = [p for path in paths for p in predictor.predict_file(path, INVERT.value)]
        return predictions, predictor.names


@contextlib.contextmanager
def _printed_warnings(category: type[Warning]) -> Iterator[None]:
    """Prints Python warnings of a category as lines of their own, without a place in the code."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", category)
        yield
    for warning in caught:
        print(f"warning: {warning.message}", file=sys.stderr)


def print_text(predictions: list["Prediction"], names: tuple[str, ...]) -> None:
    """Prints a line for each example: its source and the most probable classes."""
    from seqclf.serving.predictions import runners_up

    width = max(len(prediction.source) for prediction in predictions)
    for prediction in predictions:
        others = runners_up(prediction, names, TOP.value - 1)
        rest = ", ".join(f"{name} {probability:.2%}" for name, probability in others)
        probability = prediction.probabilities[prediction.class_index]
        first = f"{prediction.class_name}  {probability:7.2%}"
        print(f"{prediction.source:<{width}}  {first}" + (f"   then {rest}" if rest else ""))


def print_json(predictions: list["Prediction"], names: tuple[str, ...]) -> None:
    """Prints a JSON array with an object for each example."""
    rows = [
        {
            "input": prediction.source,
            "class_index": prediction.class_index,
            "class_name": prediction.class_name,
            "probability": float(prediction.probabilities[prediction.class_index]),
            "probabilities": dict(zip(names, map(float, prediction.probabilities), strict=True)),
        }
        for prediction in predictions
    ]
    print(json.dumps(rows, indent=2))


def needs_tensorflow() -> bool:
    """Returns whether TensorFlow is imported, which only the messages of gRPC need."""
    return SERVER.value is not None and SERVER.value.startswith("grpc")


if __name__ == "__main__":
    app.run(main, arguments=True, check=check, tensorflow=needs_tensorflow)
