"""Compares changes of `configs/series.py` by validation; no test split of the comparison is opened.

    python -m benchmarks.series.choosing                        # every change once
    python -m benchmarks.series.choosing --only="as it is" --only=wide --splits=3
    python -m benchmarks.series.choosing --config.model.conv=32,64,32

Trains the recipe as it is and with each change of `CHANGES` alone. Of the five sets that are in the
comparison too it reads the training split alone: two thirds are trained on, the other third is
scored; `--splits` repeats that with other thirds. Of four more sets, which are not in the
comparison, it trains on the training split and scores at most 600 examples of the other one. A
training whose result is on disk is not run again. Writes `series_choosing.json` and
`series_choosing.md`.
"""

import functools
import json
import sys
import time
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from absl import app, flags
from sklearn.model_selection import StratifiedShuffleSplit

from benchmarks.fingerprints import fingerprint
from benchmarks.only import chosen, define_only
from benchmarks.series.scores import scores_of
from benchmarks.series.sets import CHOOSING, DEVELOPMENT, ArchiveSet, Examples, archive_set
from seqclf import SequenceClassifier
from seqclf.config import Config, resolve
from seqclf.console.config_flag import ConfigFlag
from seqclf.errors import SeqclfError
from seqclf.storage.files import write_json, write_text

FLAGS = flags.FLAGS

HELD_OUT = 1 / 3
MOST = 600  # examples of a development set that are scored
SETS = (*CHOOSING, *DEVELOPMENT)
AS_IT_IS = "as it is"
CHANGES: dict[str, dict[str, Any]] = {
    AS_IT_IS: {},
    "GRU alone": {"model.conv": [], "model.conv_dilation": 1, "model.conv_pooling": "mean"},
    "no dilation": {"model.conv_dilation": 1},
    "dilation 4": {"model.conv_dilation": 4},
    "means alone": {"model.conv_pooling": "mean"},
    "three convolutions: filters 64, 128, 64": {"model.conv": [64, 128, 64]},
    "wide: five times 128 filters": {"model.conv": [128] * 5},
    "learning rate 0.001": {"optimizer.learning_rate": 0.001},
    "learning rate 0.01": {"optimizer.learning_rate": 0.01},
    "steps 800": {"steps": 800},
    "steps 6000": {"steps": 6000},
    "batches of 32": {"batch_size": 32},
    "dropout 0": {"model.dropout": 0.0},
    "dropout 0.5": {"model.dropout": 0.5},
    "mean of the states beside the last": {"model.pooling": "mean"},
    "both directions": {"model.bidirectional": True},
    "label smoothing 0.1": {"label_smoothing": 0.1},
    "units 16": {"model.units": [16]},
    "layer normalisation of the state": {"model.layer_norm": True},
    "AdamW, decay 0.05": {"optimizer.name": "adamw", "optimizer.weight_decay": 0.05},
    "class weights": {"class_weight": "balanced"},
    "each series scaled by itself": {"data.normalize": "sequence"},
}


def define_flags() -> ConfigFlag:
    """Defines the flags, when this is the command: others have flags of the same names."""
    config = ConfigFlag()
    FLAGS.set_default("config", "series")
    flags.DEFINE_integer("splits", 1, "Random divisions of each training split.", 1)
    define_only("changes")
    flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")
    return config


def main(argv: list[str], config: ConfigFlag) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    try:
        base = resolve(config.value)
        wanted = chosen(CHANGES, FLAGS.only)
        variants = {name: base.changed(CHANGES[name]) for name in wanted}
        path = Path(FLAGS.out) / "series_choosing.json"
        results = trained(variants, FLAGS.splits, path)
    except SeqclfError as error:
        sys.exit(f"Error: {error}")
    print(f"\n{table(results)}\nresults in {path.with_suffix('.*')}")


def trained(variants: dict[str, Config], splits: int, path: Path) -> list[dict[str, Any]]:
    """Trains the variants that have no result yet.

    Args:
        variants: configs by name.
        splits: number of random divisions of each training split.
        path: JSON file of the results; those in it are not computed again.

    Returns:
        The results of all variants, sets and divisions.
    """
    kept = json.loads(path.read_text()) if path.exists() else []
    results = []
    for split in range(splits):
        for name, config in variants.items():
            for of in SETS:
                key = {"config": fingerprint(config), "set": of, "split": split}
                result = next((r for r in kept if key.items() <= r.items()), None)
                if result is None:
                    result = key | validated(config, *divided(archive_set(of), split), split)
                    kept.append(result)
                    write_json(path, kept)
                    print(
                        f"{name}, {of}, {split}: {result['accuracy']:.3f}, log loss "
                        f"{result['log_loss']:.3f}, {result['cpu_seconds']:.0f} s",
                        flush=True,
                    )
                results.append(result | {"variant": name})
            write_text(path.with_suffix(".md"), table(results))
    return results


def divided(of: ArchiveSet, split: int) -> tuple[Examples, Examples]:
    """Returns what is trained on and what is scored.

    Args:
        of: a set of `SETS`.
        split: number of the random division.
    """
    train = of.train()
    if of.name in DEVELOPMENT:
        other = of.test()
        order = np.random.default_rng(split).permutation(len(other.y))
        return train, other.part(order[:MOST])
    divide = StratifiedShuffleSplit(1, test_size=HELD_OUT, random_state=split)
    kept, held = next(divide.split(train.y, train.y))
    return train.part(kept), train.part(held)


def validated(
    config: Config, train: Examples, validation: Examples, split: int
) -> dict[str, float]:
    """Trains on some examples and returns the figures on others.

    Args:
        config: the config.
        train: the examples to train on.
        validation: the examples to score.
        split: number of the random division, and the seed.
    """
    begun = time.process_time()
    classifier = SequenceClassifier(config, random_state=split).fit(train.given(), train.y)
    seconds = time.process_time() - begun
    probabilities = classifier.predict_proba(validation.given())
    column = np.searchsorted(classifier.classes_, validation.y)
    true = probabilities[np.arange(len(column)), column]
    return {
        **scores_of(validation.y, classifier.classes_[probabilities.argmax(-1)]),
        "log_loss": float(-np.log(np.maximum(true, 1e-7)).mean()),
        "cpu_seconds": seconds,
    }


def table(results: list[dict[str, Any]]) -> str:
    """Returns a Markdown table of the means over the sets and the divisions."""
    lines = [
        f"| change | divisions | {' | '.join(SETS)} | mean accuracy | log loss | CPU s |",
        f"|---|--:|{'--:|' * len(SETS)}--:|--:|--:|",
    ]
    variants: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        variants.setdefault(result["variant"], []).append(result)
    for name, of in variants.items():
        accuracies = [
            100 * mean([r["accuracy"] for r in of if r["set"] == each] or [float("nan")])
            for each in SETS
        ]
        lines.append(
            f"| {name} | {len({r['split'] for r in of})} "
            f"| {' | '.join(f'{a:.1f}' for a in accuracies)} | {mean(accuracies):.1f} "
            f"| {mean(r['log_loss'] for r in of):.3f} | {sum(r['cpu_seconds'] for r in of):.0f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    app.run(functools.partial(main, config=define_flags()))
