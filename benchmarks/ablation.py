"""Measures what each ingredient of a recipe is worth: one change at a time, with several seeds.

    python -m benchmarks.ablation                                  # configs/mnist_fast.py
    python -m benchmarks.ablation --config.steps=350 --seeds=1

Trains the recipe as it is and with each change of `CHANGES` alone. Compares the accuracy and the
loss of the last weights on the validation split; the test split is not looked at. A change that
does not suit the recipe is named and left out. A training whose result is on disk is not run again,
so the benchmark can be interrupted, and extended by seeds or changes. Writes `ablation_NAME.json`
and `ablation_NAME.md`.
"""

import json
import math
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from absl import app, flags

from benchmarks.only import chosen, define_only
from seqclf.config import Config, flatten, resolve
from seqclf.console.config_flag import ConfigFlag
from seqclf.console.progress import Silent
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError, SeqclfError
from seqclf.storage.files import write_json, write_text
from seqclf.storage.run_directory import Run
from seqclf.training.loop import fit

_CONFIG = ConfigFlag()
flags.FLAGS.set_default("config", "mnist_fast")
_SEEDS = flags.DEFINE_integer("seeds", 3, "Trainings of each variant.", lower_bound=1)
_ONLY = define_only("changes")
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")

DISTORTIONS = {
    "augment.shift": 0.06,
    "augment.rotation": 10.0,
    "augment.scale": 0.1,
    "augment.shear": 6.0,
    "augment.elastic": 0.02,
}
LENGTH = "length"  # factor of the number of steps, which keeps the amount of arithmetic the same
CHANGES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "constant learning rate 0.002": {
        "optimizer.schedule": "constant",
        "optimizer.learning_rate": 0.002,
    },
    "no warm-up": {"optimizer.warmup_steps": 0},
    "no clipping": {"optimizer.clip_norm": 0.0},
    "no selection, batches of 128": {"batch_selection": 1, "batch_size": 128, LENGTH: 1.2},
    "no selection, batches of 64": {"batch_selection": 1, "batch_size": 64, LENGTH: 2.4},
    "pixels in 0 to 1": {"data.normalize": "unit"},
    "each feature standardised": {"data.normalize": "standard"},
    "layer normalisation": {"model.layer_norm": True},
    "both directions, [64, 64]": {"model.bidirectional": True, "model.units": [64, 64]},
    "one layer of 128": {"model.units": [128], LENGTH: 1.5},
    "time reduction 2": {"model.time_reduction": [2], LENGTH: 1.3},
    "AdamW, decay 0.05": {"optimizer.name": "adamw", "optimizer.weight_decay": 0.05},
    "label smoothing 0.05": {"label_smoothing": 0.05},
    "dropout 0.1": {"model.dropout": 0.1},
    "chrono initialisation": {"model.chrono": 28},
    "distortions": DISTORTIONS,
    "final rate 0.001": {"optimizer.final_learning_rate": 0.001},
    "last state alone": {"model.pooling": "last"},
}


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    try:
        base = resolve(_CONFIG.value)
        variants = _variants(base)
        path = Path(_OUT.value) / f"ablation_{base.name}.json"
        results = _trained(variants, json.loads(path.read_text()) if path.exists() else [], path)
    except SeqclfError as error:
        sys.exit(f"Error: {error}")
    print(f"\n{table(results)}\nresults in {path.with_suffix('.*')}")


def _variants(base: Config) -> dict[str, Config]:
    """Returns the config of each change that was asked for and that suits the recipe, by name."""
    variants = {}
    for name in chosen(CHANGES, _ONLY.value):
        try:
            variants[name] = changed(base, CHANGES[name])
        except ConfigError as error:
            print(f"{name}: left out. {error}")
    return variants


def changed(base: Config, changes: dict[str, Any]) -> Config:
    """Returns a config with a change; its training ends with the last weights.

    Args:
        base: the config of the recipe.
        changes: the new values by key; `LENGTH` multiplies the number of steps.

    Raises:
        ConfigError: the change does not suit the config.
    """
    steps = round(base.steps * changes.get(LENGTH, 1))
    values = {key: value for key, value in changes.items() if key != LENGTH}
    return base.changed({"select": "last", "steps": steps} | values)


def _trained(
    variants: dict[str, Config], kept: list[dict[str, Any]], path: Path
) -> list[dict[str, Any]]:
    """Trains the variants that have no result yet.

    Args:
        variants: configs by name.
        kept: the results on disk, to which new ones are added.
        path: JSON file of the results.

    Returns:
        The results of all variants and seeds.
    """
    results = []
    for seed in range(_SEEDS.value):
        for name, variant in variants.items():
            config = variant.changed({"seed": seed})
            known = json.loads(json.dumps(flatten(config)))
            result = next((each for each in kept if each["config"] == known), None)
            if result is None:
                result = {"seed": seed, "config": known, **_train(config)}
                kept.append(result)
                write_json(path, kept)
                print(f"{name}, seed {seed}: {result['accuracy']:.2%}", flush=True)
            results.append({**result, "variant": name})
            write_text(path.with_suffix(".md"), table(results))
    return results


def _train(config: Config) -> dict[str, float]:
    dataset = load_dataset(**config.data.to_dict())
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "run")
        run.prepare(config)
        begun = time.perf_counter()
        _, state, score = fit(config, dataset, run, make_progress=Silent)
    assert score is not None  # the last step is validated
    return {
        "accuracy": score.accuracy,
        "loss": score.loss,
        "seconds": time.perf_counter() - begun,
        "step_ms": 1e3 * state.train_seconds / state.step,
    }


def table(results: list[dict[str, Any]]) -> str:
    """Returns a Markdown table of the means over the seeds, with their standard errors."""
    lines = [
        "| change | seeds | validation error, % | × the error | validation loss | × step time |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    variants: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        variants.setdefault(result["variant"], []).append(result)
    reference = variants.get("as it is", results)
    reference_error = mean(100 - 100 * result["accuracy"] for result in reference)
    for name, trained in variants.items():
        errors = [100 - 100 * result["accuracy"] for result in trained]
        error_bar = f" ± {stdev(errors) / math.sqrt(len(errors)):.2f}" if len(errors) > 1 else ""
        factor = mean(errors) / max(reference_error, 1e-9)
        step = min(r["step_ms"] for r in trained) / min(r["step_ms"] for r in reference)
        lines.append(
            f"| {name} | {len(trained)} | {mean(errors):.2f}{error_bar} | {factor:.2f} "
            f"| {mean(r['loss'] for r in trained):.4f} | {step:.2f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    app.run(main)
