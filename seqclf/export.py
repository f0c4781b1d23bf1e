"""Exports the model of a run for TensorFlow Serving, or verifies a SavedModel of any tool.

    python -m seqclf.export --workdir=runs/mnist --export_dir=models/mnist

writes models/mnist/1, and models/mnist/2 the next time. A version appears after it has passed every
check.

    python -m seqclf.export --verify=models/mnist

runs the checks on the newest version in that folder.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from seqclf.console import app
from seqclf.console.next_commands import command_line, next_block
from seqclf.console.progress import announce
from seqclf.errors import ConfigError
from seqclf.serving.decision import parse_target
from seqclf.serving.extra_packages import check_packages
from seqclf.serving.labels import parse_labels, recorded_labels

WORKDIR = flags.DEFINE_string("workdir", None, "Run directory.")
EXPORT_DIR = flags.DEFINE_string("export_dir", None, "Folder of the versions.")
INPUT_DTYPE = flags.DEFINE_enum(
    "input_dtype",
    "",
    ["", "uint8", "float32"],
    "Type of the raw inputs; default: that of the data.",
)
KEEP = flags.DEFINE_integer(
    "keep", 0, "Number of newest versions to keep; 0 keeps all.", lower_bound=0
)
LABELS = flags.DEFINE_list(
    "labels",
    [],
    "Labels of versions, such as stable=1,canary=2: with --keep, their versions are kept too. "
    "Labels that deploy/labels.py has set need not be given.",
)
LITERT = flags.DEFINE_enum(
    "litert", "", ["", "float32", "int8"], "Write a LiteRT file too, with weights of this type."
)
ONNX = flags.DEFINE_bool("onnx", False, "Write an ONNX file too (pip install 'seqclf[onnx]').")
CALIBRATE = flags.DEFINE_bool(
    "calibrate",
    False,
    "Fit a temperature on the validation split, by which the exported model divides its logits.",
)
TARGET_RECALL = flags.DEFINE_string(
    "target_recall",
    None,
    "Two classes: choose on the validation split from which probability on a class is answered, "
    "so that its recall is reached: 0.95 (the class with fewer examples) or CLASS=0.95.",
)
TARGET_PRECISION = flags.DEFINE_string(
    "target_precision", None, "The same for a precision: 0.9 or CLASS=0.9."
)
VERIFY = flags.DEFINE_string("verify", None, "SavedModel, or folder of versions, to verify.")
RUNTIME = flags.DEFINE_string(
    "runtime",
    None,
    "With --verify: folder with the libraries of another TensorFlow to run it with.",
)

OF_EXPORT = (
    *(INPUT_DTYPE, KEEP, LABELS, LITERT, ONNX),
    *(CALIBRATE, TARGET_RECALL, TARGET_PRECISION),
)


def check(argv: Sequence[str]) -> None:
    """Checks the flags without TensorFlow, so that a mistake is reported at once."""
    del argv
    from seqclf.storage.run_directory import Run

    parse_labels(LABELS.value)
    parse_target(TARGET_RECALL.value, TARGET_PRECISION.value)
    exporting = [WORKDIR.value, EXPORT_DIR.value]
    if any(exporting) if VERIFY.value else not all(exporting):
        raise ConfigError(
            "Give --workdir=RUN and --export_dir=FOLDER to export, or --verify=FOLDER alone to "
            "verify what is there."
        )
    unused = OF_EXPORT if VERIFY.value else (RUNTIME,)
    if given := [each.name for each in unused if flags.FLAGS[each.name].present]:
        verb = "verify" if VERIFY.value else "export"
        raise ConfigError(f"--{given[0]} says nothing about how to {verb}: leave it out.")
    if ONNX.value:
        check_packages("onnx", "--onnx")
    if WORKDIR.value:
        Run(WORKDIR.value).read_config()
    if EXPORT_DIR.value and KEEP.value:
        recorded_labels(Path(EXPORT_DIR.value).expanduser())


def main(argv: Sequence[str]) -> None:
    """Verifies what --verify names, or else exports a run."""
    del argv
    if VERIFY.value:
        verify()
    else:
        export()


def export() -> None:
    """Exports a run and prints how to use the new version."""
    from seqclf.experiment.decision import choose_decision, decision_in_words
    from seqclf.experiment.next_prediction import prediction_command
    from seqclf.serving.export import export_run
    from seqclf.storage.run_directory import Run

    run = Run(WORKDIR.value)
    target = parse_target(TARGET_RECALL.value, TARGET_PRECISION.value)
    decision = choose_decision(run, CALIBRATE.value, target)
    announce("Loading the model")
    version = export_run(
        run,
        EXPORT_DIR.value,
        INPUT_DTYPE.value,
        KEEP.value,
        litert=LITERT.value,
        onnx=ONNX.value,
        labelled=parse_labels(LABELS.value).values(),
        decision=decision,
    )
    lines = [f"Exported {version}", *decision_in_words(decision)]
    if LITERT.value:
        lines.append(f"LiteRT    {version}/assets.extra/model.tflite")
    if ONNX.value:
        lines.append(f"ONNX      {version}/assets.extra/model.onnx")
    lines += [
        "",
        *next_block(
            prediction_command(run, EXPORT_DIR.value, "scores.csv"),
            command_line("seqclf.serve", {"export_dir": EXPORT_DIR.value}),
        ),
    ]
    print("\n".join(lines))


def verify() -> None:
    """Prints the outcome of every check; exits with status 1 if one has failed."""
    from seqclf.serving.verify.check import describe_checks
    from seqclf.serving.verify.check import verify as run_checks

    announce("Running the checks")
    checks = run_checks(VERIFY.value, runtime=RUNTIME.value)
    print(describe_checks(checks))
    if any(check.passed is False for check in checks):
        sys.exit(1)


if __name__ == "__main__":
    app.run(main, check=check)
