"""What each ingredient of a recipe is worth: one change at a time, several seeds each.

    python -m benchmarks.ablation --config=configs/mnist_fast.py
    python -m benchmarks.ablation --config=configs/mnist_best.py --config.steps=4000 --seeds=3

Trains the recipe as it is and with each change of `CHANGES` alone, and compares accuracy and loss
on the validation split; the test split is not looked at. Trainings that are in the results already
are not run again, so that it can be interrupted and widened. Writes `ablation_NAME.json` and
`ablation_NAME.md`.
"""

import json
import math
import tempfile
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from absl import app, flags
from ml_collections import config_flags

from seqclf.config import flatten, nest, resolve
from seqclf.data.sources import load_dataset
from seqclf.evaluation import Scorer
from seqclf.progress import Progress
from seqclf.runs import Run, replacing, write_text
from seqclf.training import fit

_CONFIG = config_flags.DEFINE_config_file("config", "configs/mnist_fast.py", "the recipe")
_SEEDS = flags.DEFINE_integer("seeds", 3, "trainings of each variant", lower_bound=1)
_ONLY = flags.DEFINE_list("only", [], "variants by a part of their name; empty: all")
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "folder for the results")

SMALL_DISTORTIONS = {
    "augment.shift": 0.06,
    "augment.rotation": 10.0,
    "augment.scale": 0.1,
    "augment.shear": 6.0,
    "augment.elastic": 0.02,
}
CHANGES: dict[str, dict[str, Any]] = {  # the arithmetic of a training stays about the same
    "as it is": {},
    "constant learning rate 0.002": {
        "optimizer.schedule": "constant",
        "optimizer.learning_rate": 0.002,
    },
    "no warm-up": {"optimizer.warmup_steps": 0},
    "no clipping": {"optimizer.clip_norm": 0.0},
    "no selection: batches of 128": {"batch_selection": 1, "batch_size": 128, "steps": 950},
    "no selection: batches of 64": {"batch_selection": 1, "batch_size": 64, "steps": 1900},
    "pixels in 0 to 1": {"data.normalize": "unit"},
    "each feature standardised": {"data.normalize": "standard"},
    "layer normalisation": {"model.layer_norm": True},
    "both directions, [64, 64]": {"model.bidirectional": True, "model.units": [64, 64]},
    "one layer of 128": {"model.units": [128], "steps": 1200},
    "time reduction 2": {"model.time_reduction": [2], "steps": 1000},
    "AdamW, decay 0.05": {"optimizer.name": "adamw", "optimizer.weight_decay": 0.05},
    "label smoothing 0.05": {"label_smoothing": 0.05},
    "dropout 0.1": {"model.dropout": 0.1},
    "chrono initialisation": {"model.chrono": 28},
    "distortions": SMALL_DISTORTIONS,
}


class Silent(Progress):
    """A progress that shows nothing of a training's steps."""

    def step(self, state: Any) -> None:
        del state

    def validation(self, record: Any, state: Any) -> None:
        del record, state


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    base = resolve(_CONFIG.value)
    path = Path(_OUT.value) / f"ablation_{base.name}.json"
    results = json.loads(path.read_text()) if path.exists() else []
    wanted = [n for n in CHANGES if not _ONLY.value or any(part in n for part in _ONLY.value)]
    for seed in range(_SEEDS.value):
        for name in wanted:
            config = resolve(nest(flatten(base) | CHANGES[name] | {"seed": seed}))
            known = json.loads(json.dumps(flatten(config)))
            if any(result["config"] == known for result in results):
                continue
            results.append({"variant": name, "seed": seed, "config": known, **_train(config)})
            with replacing(path) as temporary:
                temporary.write_text(json.dumps(results, indent=1) + "\n")
            write_text(path.with_suffix(".md"), table(results))
            print(f"{name}, seed {seed}: {results[-1]['accuracy']:.2%}", flush=True)
    print(f"\n{table(results)}\nresults in {path.with_suffix('.*')}")


def _train(config: Any) -> dict[str, float]:
    dataset = load_dataset(**config.data.to_dict())
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "run")
        run.prepare(config)
        begun = time.perf_counter()
        model, state, _ = fit(config, dataset, run, make_progress=Silent)
    score = Scorer(model, dataset.spec)(dataset.validation)
    return {
        "accuracy": score.accuracy,
        "loss": score.loss,
        "seconds": time.perf_counter() - begun,
        "step_ms": 1e3 * state.train_seconds / state.step,
    }


def table(results: list[dict[str, Any]]) -> str:
    """Returns the comparison in Markdown: means over the seeds and their standard error."""
    lines = [
        "| change | seeds | validation error, % | × the error | validation loss | × step time |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    variants: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        variants.setdefault(result["variant"], []).append(result)
    reference = next(iter(variants.values()))
    for name, of in variants.items():
        errors = [100 - 100 * result["accuracy"] for result in of]
        off = f" ± {stdev(errors) / math.sqrt(len(errors)):.2f}" if len(errors) > 1 else ""
        worth = mean(errors) / mean(100 - 100 * result["accuracy"] for result in reference)
        step = min(r["step_ms"] for r in of) / min(r["step_ms"] for r in reference)
        lines.append(
            f"| {name} | {len(of)} | {mean(errors):.2f}{off} | {worth:.2f} "
            f"| {mean(r['loss'] for r in of):.4f} | {step:.2f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    app.run(main)
