"""Classifies sequences or images, or scores texts, with an exported model, here or on a server.

    python -m seqclf.predict --model=models/mine new.csv --out=scores.csv
    python -m seqclf.predict --model=models/mnist digit.png other.jpg
    python -m seqclf.predict --model=models/mnist --json sequences.npz
    python -m seqclf.predict --server=http://localhost:8501/v1/models/seqclf digit.png
    python -m seqclf.predict --server=grpc://localhost:8500/seqclf digit.png
    python -m seqclf.predict --model=models/book chapter.txt --out=tokens.csv

Without --out it prints the predictions. A language model says how probable each token of a text is.
"""

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from seqclf.console import app
from seqclf.console.progress import CountProgress, announce
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.serving.client import Client
    from seqclf.serving.predicting.asking import Classifier
    from seqclf.serving.predicting.input_file import InputFile
    from seqclf.serving.predicting.table_options import TableOptions
    from seqclf.serving.predictions import AnyPrediction
    from seqclf.serving.predictor import Predictor
    from seqclf.serving.remote_predictor import RemotePredictor

NO_TEXTS = (".npz", ".npy", ".parquet", ".pq", ".png", ".jpg", ".jpeg")  # endings of other files

MODEL = flags.DEFINE_string("model", None, "Exported model: EXPORT_DIR or EXPORT_DIR/<version>.")
SERVER = flags.DEFINE_string("server", None, "Address of a served model, http:// or grpc://.")
OUT = flags.DEFINE_string(
    "out", None, "Table to write the predictions to, a new .csv or .parquet file."
)
OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace --out if it is there already.")
TABLE = {
    "form": flags.DEFINE_enum(
        "form",
        None,
        ["long", "wide"],
        "Form of the tables: long has a row for each time step, wide one for each sequence. "
        "Where this or one of the next flags is not given, the training table decides.",
    ),
    "id": flags.DEFINE_string("id", None, "Column that tells which sequence a row belongs to."),
    "time": flags.DEFINE_string("time", None, "Column by which the rows of a sequence are sorted."),
    "features": flags.DEFINE_string(
        "features", None, "Columns that the model reads, in its order, separated by commas."
    ),
    "label": flags.DEFINE_string("label", None, "Column with the class, to compare with."),
    "separator": flags.DEFINE_string(
        "separator", None, "CSV: character between two values; tab for a tabulator."
    ),
    "decimal": flags.DEFINE_enum("decimal", None, [".", ","], "CSV: the decimal mark."),
}
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
    "For a server: manifest.json of the served version. With it the columns of a table are known, "
    "and inputs far outside the range of the training inputs are warned about.",
)


def check(argv: Sequence[str]) -> None:
    """Checks the flags without TensorFlow, so that a mistake is reported at once."""
    from seqclf.serving.predicting.opening import check_options
    from seqclf.serving.predicting.out_path import check_out

    if (MODEL.value is None) == (SERVER.value is None):
        raise ConfigError("Give either --model=EXPORT_DIR or --server=ADDRESS.")
    if len(argv) < 2:
        raise ConfigError(
            "Name at least one CSV, Parquet, .npz, PNG or JPEG file, or a folder; for a language "
            "model text files."
        )
    check_options(argv[1:], table_options())
    if OUT.value is None and OVERWRITE.value:
        raise ConfigError("--overwrite is for the file that --out names. Received: no --out")
    if OUT.value is not None:
        if JSON.value:
            raise ConfigError("--json prints the predictions, --out writes them: give one of them.")
        check_out(Path(OUT.value).expanduser(), argv[1:], OVERWRITE.value)
    if MODEL.value is not None and is_language_model():
        check_texts(argv[1:])


def is_language_model() -> bool:
    """Returns whether --model is a language model; False for --server, which is asked later."""
    from seqclf.serving.opened_export import exported_spec
    from seqclf.serving.versions import version_folder

    if MODEL.value is None:
        return False
    return exported_spec(version_folder(Path(MODEL.value).expanduser())).is_text


def check_texts(paths: Sequence[str]) -> None:
    """Checks that no flag and no file is one for classifiers.

    Raises:
        ConfigError: one is.
    """
    given = [*table_options().given(), *["invert"] * INVERT.value, *["top"] * TOP.present]
    if given:
        raise ConfigError(f"--{given[0]} is for classifiers, and this is a language model.")
    if wrong := [path for path in paths if path.lower().endswith(NO_TEXTS)]:
        raise ConfigError(
            f"{MODEL.value or SERVER.value} is a language model, which classifies nothing: it says "
            f"how probable a text is. Name text files. Received: {wrong[0]!r}"
        )


def main(argv: Sequence[str]) -> None:
    """Classifies the files, or scores them; prints the predictions, or writes them as a table."""
    from seqclf.serving.predicting.asking import predictions_of
    from seqclf.serving.predicting.opening import open_input

    if is_language_model():
        score_texts(argv[1:])
        return
    with classifier() as model:
        names, options = model.names, table_options()
        files = [open_input(path, model.input, names, INVERT.value, options) for path in argv[1:]]
        if OUT.value is not None:
            write(files, model)
            return
        predictions = []
        for file in files:
            predictions += [each for part in predictions_of(file, model, tell) for each in part]
        print_predictions = print_json if JSON.value else print_text
        print_predictions(predictions, model.names)


def score_texts(paths: Sequence[str]) -> None:
    """Scores text files with the language model --model; prints the scores, or writes a table."""
    from seqclf.console.quiet import quiet_start
    from seqclf.serving.text.asking import ExportedTextModel
    from seqclf.serving.text.score_table import write_scores
    from seqclf.serving.text.scoring import scored_files

    announce("Loading the model")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    with quiet_start("2"):
        model = ExportedTextModel(MODEL.value)
    files = scored_files(paths, model)
    if OUT.value is not None:
        print("\n".join(write_scores(files, Path(OUT.value).expanduser())))
    elif JSON.value:
        print(json.dumps([file.as_json() for file in files], indent=2, ensure_ascii=False))
    else:
        for file in files:
            print(file.in_words())


def table_options() -> "TableOptions":
    """Returns what the flags say of the columns of tables."""
    from seqclf.serving.predicting.table_options import TableOptions

    return TableOptions(**{name: flag.value or "" for name, flag in TABLE.items()})


def write(files: Sequence["InputFile"], model: "Classifier") -> None:
    """Writes the predictions to --out and prints a summary."""
    from seqclf.serving.predicting.writing import write_predictions

    out, report = Path(OUT.value).expanduser(), CountProgress("Predicted")
    print("\n".join(write_predictions(files, model, out, report, tell)))


def tell(line: str) -> None:
    """Prints a note or a warning to standard error."""
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def classifier() -> Iterator["Classifier"]:
    """Gives the model of --model or --server, ready to predict."""
    if SERVER.value is None:
        yield load_predictor()
        return
    from seqclf.serving.client import connect

    options: dict[str, Any] = {"timeout": TIMEOUT.value, "headers": headers()}
    options["manifest"] = MANIFEST.value
    options["ca_file"] = CA_FILE.value and os.path.expanduser(CA_FILE.value)
    with connect(SERVER.value, **options) as client, _without_warnings_of_the_client():
        yield ask_server(client)


def load_predictor() -> "Predictor":
    """Returns the model --model, ready to predict."""
    from seqclf.console.quiet import quiet_start
    from seqclf.serving.predictor import Predictor

    announce("Loading the model")
    # Starting a GPU takes longer than most predictions. CUDA_VISIBLE_DEVICES=0 switches it on.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    with quiet_start("2"):
        return Predictor(MODEL.value)


def ask_server(client: "Client") -> "RemotePredictor":
    """Returns the model --server, once it is ready to predict."""
    from seqclf.serving.remote_predictor import RemotePredictor

    if WAIT.value:
        client.wait_until_available(WAIT.value)
    return RemotePredictor(client)


def headers() -> dict[str, str]:
    """Returns the headers that --header gives."""
    found = {}
    for header in HEADER.value:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            raise ConfigError("--header takes 'Name: value'.")
        found[name.strip()] = value.strip()
    return found


@contextlib.contextmanager
def _without_warnings_of_the_client() -> Iterator[None]:
    """Silences the client, which warns about each request; we warn once about each file."""
    from seqclf.serving.client import InputWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        yield


def print_text(predictions: list["AnyPrediction"], names: tuple[str, ...]) -> None:
    """Prints a line for each example: its source and the most probable classes.

    Of a model that classifies time steps, it is a line for each stretch of one class.
    """
    from seqclf.serving.predicting.step_text import lines_of
    from seqclf.serving.predictions import SequencePrediction, runners_up

    width = max(len(prediction.source) for prediction in predictions)
    for prediction in predictions:
        if isinstance(prediction, SequencePrediction):
            print("\n".join(lines_of(prediction)))
            continue
        others = runners_up(prediction, names, TOP.value - 1)
        rest = ", ".join(f"{name} {probability:.2%}" for name, probability in others)
        probability = prediction.probabilities[prediction.class_index]
        first = f"{prediction.class_name}  {probability:7.2%}"
        print(f"{prediction.source:<{width}}  {first}" + (f"   then {rest}" if rest else ""))


def print_json(predictions: list["AnyPrediction"], names: tuple[str, ...]) -> None:
    """Prints a JSON array with an object for each example."""
    from seqclf.serving.predicting.step_text import json_of
    from seqclf.serving.predictions import SequencePrediction

    rows = [
        json_of(prediction, names)
        if isinstance(prediction, SequencePrediction)
        else {
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
