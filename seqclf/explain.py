"""Shows what a trained run does with an example, time step by time step.

    python -m seqclf.explain --workdir=runs/mnist digit.png    # without a file: the run's samples
    python -m seqclf.explain --workdir=runs/mnist --gradients  # also how gradients flow back

    python -m seqclf.explain --workdir=runs/char_lm page.txt --units=1:17,1:40

Takes PNG, JPEG and .npz files, tables (CSV, Parquet), and for a language model texts. Writes
figures and numbers to a folder for each input.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from seqclf.console import app
from seqclf.console.progress import announce
from seqclf.errors import ConfigError

WORKDIR = flags.DEFINE_string("workdir", None, "Run directory.")
OUT = flags.DEFINE_string("out", None, "Folder for the figures; default: WORKDIR/explain.")
INVERT = flags.DEFINE_bool("invert", False, "Swap dark and bright in images first.")
GRADIENTS = flags.DEFINE_bool(
    "gradients", False, "Also draw how gradients flow back through the steps, on validation data."
)
UNITS = flags.DEFINE_list(
    "units",
    [],
    "For a language model: units to draw along the text, as LAYER:UNIT, counted from 1; without "
    "the flag those of the last layer whose state changes most.",
)


def check(argv: Sequence[str]) -> None:
    del argv
    from seqclf.storage.run_directory import Run

    Run(WORKDIR.value).read_config()


def main(argv: Sequence[str]) -> None:
    from seqclf.experiment.samples import samples_for_inspection
    from seqclf.models.loading import load_trained
    from seqclf.storage.run_directory import Run

    run = Run(WORKDIR.value)
    announce("Loading the model")
    model, spec = load_trained(run)
    if GRADIENTS.value and spec.per_step:
        raise ConfigError(
            "--gradients follows the gradient from the last state back, and this model classifies "
            "each time step by its own state: leave the flag out."
        )
    out = Path(OUT.value).expanduser() if OUT.value else run.path / "explain"
    paths = argv[1:] or list(map(str, samples_for_inspection(run)))
    if spec.is_text:
        encoding = run.read_config().data.encoding if argv[1:] else "utf-8"  # the samples' own
        folders = explain_texts(paths, model, spec, encoding, out)
    elif UNITS.value:
        raise ConfigError(f"--units is for a language model. Received: {','.join(UNITS.value)}")
    else:
        folders = explain_inputs(paths, model, spec, out)
    if GRADIENTS.value:
        folders.append(explain_gradients(run, model, out / "gradients"))
    print("\nFigures and numbers")
    for folder in folders:
        print(f"  {folder}/ ({', '.join(sorted(p.name for p in folder.glob('*.png')))})")


def explain_texts(
    paths: Sequence[str], model: Any, spec: Any, encoding: str, out: Path
) -> list[Path]:
    """Writes an inspection of each text file, in that encoding; returns the folders written."""
    from seqclf.data.text.files import read_text
    from seqclf.inspection.text import (
        chosen_units,
        inspect_text,
        text_inspection_in_words,
        write_text_inspection,
    )

    if GRADIENTS.value or INVERT.value:
        raise ConfigError("--gradients and --invert are not for a language model: leave them out.")
    folders: list[Path] = []
    loaded = [(path, read_text(path, encoding)[0]) for path in paths]
    for path, text in loaded:
        inspection = inspect_text(model, spec, text)
        print(f"\n{text_inspection_in_words(Path(path).name, inspection)}", flush=True)
        folder = unused(out, Path(path).stem, folders)
        units = chosen_units(inspection, UNITS.value)
        announce("Drawing the figures")
        write_text_inspection(inspection, units, folder)
        folders.append(folder)
    return folders


def explain_inputs(paths: Sequence[str], model: Any, spec: Any, out: Path) -> list[Path]:
    """Writes an inspection of each example of some files; returns the folders written."""
    from seqclf.inspection.inputs import load_inputs, polarity_warning
    from seqclf.inspection.report import inspection_in_words, write_inspection
    from seqclf.inspection.stepwise import inspect_examples

    folders: list[Path] = []
    loaded = [(path, list(load_inputs(path, spec, INVERT.value, print))) for path in paths]
    for path, examples in loaded:
        if warning := polarity_warning(path, spec, INVERT.value):
            print(f"warning: {warning}", file=sys.stderr)
        for example in examples:
            (inspection,) = inspect_examples(model, spec, example.raw, example.lengths)
            print(f"\n{inspection_in_words(example.title, inspection)}", flush=True)
            folder = unused(out, example.name, folders)
            write_inspection(inspection, folder)
            folders.append(folder)
    return folders


def unused(out: Path, name: str, folders: Sequence[Path]) -> Path:
    """Returns a folder of that name in `out`, with a number if it is among `folders`."""
    folder, number = out / name, 2
    while folder in folders:  # another folder has a file of the same name
        folder, number = out / f"{name}-{number}", number + 1
    return folder


def explain_gradients(run: Any, model: Any, folder: Path) -> Path:
    """Draws the gradient flow of a run before and after training; returns the folder."""
    from seqclf.data.sources import load_dataset
    from seqclf.inspection.report import (
        gradient_flows_in_words,
        gradient_flows_of,
        write_gradient_flows,
    )
    from seqclf.training.loop import build

    config = run.read_config()
    announce(f"Loading {config.data.source}")
    dataset = load_dataset(**config.data.to_dict())
    models = {"initialisation": build(config, dataset.spec), "after training": model}
    announce("Measuring gradients")
    flows = gradient_flows_of(models, dataset)
    write_gradient_flows(
        flows, config.optimizer.clip_norm, folder / "gradient_flow.png", config.name
    )
    print("\ngradients, from the last step back to the first:")
    print(gradient_flows_in_words(flows))
    return folder


if __name__ == "__main__":
    app.run(main, arguments=True, check=check, required=["workdir"])
