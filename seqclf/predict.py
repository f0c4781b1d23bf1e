"""Classifies pictures or sequences with an exported model, here or on a server.

python -m seqclf.predict --model=models/mnist digit.png other.jpg
python -m seqclf.predict --model=models/mnist --json sequences.npz
python -m seqclf.predict --server=http://localhost:8501/v1/models/seqclf digit.png
python -m seqclf.predict --server=grpc://localhost:8500/seqclf digit.png
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

from absl import flags

from seqclf.console import app
from seqclf.errors import ConfigError

MODEL = flags.DEFINE_string("model", None, "EXPORT_DIR or EXPORT_DIR/<version>.")
SERVER = flags.DEFINE_string("server", None, "Address of a served model, http:// or grpc://.")
INVERT = flags.DEFINE_bool("invert", False, "Swap dark and bright in pictures first.")
TOP = flags.DEFINE_integer("top", 3, "Classes to print for each example.", lower_bound=1)
JSON = flags.DEFINE_bool("json", False, "Print JSON instead of text.")
TIMEOUT = flags.DEFINE_float("timeout", 10.0, "Seconds to wait for a server.", lower_bound=0.001)
WAIT = flags.DEFINE_float(
    "wait", 0.0, "Seconds to wait until a server has the model ready.", lower_bound=0.0
)
HEADER = flags.DEFINE_multi_string("header", [], "For a server: 'Name: value', such as a token.")
CA_FILE = flags.DEFINE_string("ca_file", None, "For a server: certificates to trust.")


def check(argv: Sequence[str]) -> None:
    from pathlib import Path

    from seqclf.serving.publish import version_folder

    if (MODEL.value is None) == (SERVER.value is None):
        raise ConfigError("Give either --model=EXPORT_DIR or --server=ADDRESS.")
    if len(argv) < 2:
        raise ConfigError("Name at least one PNG, JPEG or .npz file.")
    if MODEL.value is not None:
        version_folder(Path(MODEL.value).expanduser())


def main(argv: Sequence[str]) -> None:
    if SERVER.value is None:
        answers, names = ask_model(argv[1:])
    else:
        answers, names = ask_server(argv[1:])
    if JSON.value:
        show_json(answers, names)
    else:
        show(answers, names)


def ask_model(paths: Sequence[str]) -> tuple[list[Any], tuple[str, ...]]:
    from seqclf.serving.pictures import polarity_hint
    from seqclf.serving.predictor import Predictor

    predictor = Predictor(MODEL.value)
    answers = [a for path in paths for a in predictor.predict_file(path, INVERT.value)]
    background = predictor.spec.background
    for path in paths:
        if not path.endswith(".npz") and (hint := polarity_hint(path, INVERT.value, background)):
            print(f"warning: {hint}", file=sys.stderr)
    return answers, predictor.spec.class_names


def ask_server(paths: Sequence[str]) -> tuple[list[Any], tuple[str, ...]]:
    from seqclf.serving.client import connect
    from seqclf.serving.remote import RemotePredictor

    headers = {}
    for header in HEADER.value:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            raise ConfigError("--header takes 'Name: value'.")
        headers[name.strip()] = value.strip()
    options = {"timeout": TIMEOUT.value, "headers": headers, "ca_file": CA_FILE.value}
    with connect(SERVER.value, **options) as client:
        if WAIT.value:
            client.wait_until_available(WAIT.value)
        predictor = RemotePredictor(client)
        answers = [a for path in paths for a in predictor.predict_file(path, INVERT.value)]
        return answers, predictor.names


def show(answers: list[Any], names: tuple[str, ...]) -> None:
    from seqclf.serving.answers import runners_up

    width = max(len(answer.source) for answer in answers)
    for answer in answers:
        others = runners_up(answer, names, TOP.value - 1)
        rest = ", ".join(f"{name} {probability:.2%}" for name, probability in others)
        first = f"{answer.class_name}  {answer.probabilities[answer.class_index]:7.2%}"
        print(f"{answer.source:<{width}}  {first}" + (f"   then {rest}" if rest else ""))


def show_json(answers: list[Any], names: tuple[str, ...]) -> None:
    rows = [
        {
            "input": answer.source,
            "class_index": answer.class_index,
            "class_name": answer.class_name,
            "probability": float(answer.probabilities[answer.class_index]),
            "probabilities": dict(zip(names, map(float, answer.probabilities), strict=True)),
        }
        for answer in answers
    ]
    print(json.dumps(rows, indent=2))


def needs_tensorflow() -> bool:
    return SERVER.value is None or SERVER.value.startswith("grpc")


if __name__ == "__main__":
    app.run(main, arguments=True, check=check, tensorflow=needs_tensorflow)
