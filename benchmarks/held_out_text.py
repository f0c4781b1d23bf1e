"""How well a recipe predicts pages that it has not read, beside counting: bits per character.

    python -m benchmarks.held_out_text --validate       # by validation; no test part is opened
    python -m benchmarks.held_out_text                  # three fresh seeds, scored on the test part

With `--validate` the recipe learns from the training part and is scored on the validation part, and
so are Kneser-Ney models of several orders. Without it both learn from all that stands before the
test part, and are scored on that. `held_out_reads.json` records for which config the test part was
read first; another one is refused, unless `--again` marks its figure. Each seed is reported twice:

    static      the weights stay as they are;
    dynamic     each piece of the text is learnt from after it was predicted (Krause et al. 2018,
                "Dynamic evaluation of neural sequence models", arXiv:1709.07432).

A training that was stopped goes on from its last checkpoint.
"""

import json
import math
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.fingerprints import fingerprint
from benchmarks.ngram import KneserNey
from benchmarks.test_reads import Record
from seqclf.config import Config, resolve
from seqclf.config.recipes import load_recipe
from seqclf.console.tensorflow_start import start_quietly
from seqclf.data.dataset import Dataset
from seqclf.data.sources import load_dataset
from seqclf.data.text.split import TextSplit
from seqclf.errors import ConfigError, SeqclfError
from seqclf.models.language_model import advance, zero_state
from seqclf.storage.files import write_json
from seqclf.storage.run_directory import Run
from seqclf.training.loop import fit
from seqclf.training.text_evaluation import TextScorer

FIRST_SEED = 100  # choices were made with seeds from 0
ORDERS, DISCOUNT = (4, 5, 6, 7, 8), 0.85
PIECE = 32  # tokens that are predicted before they are learnt from
RATES = (0.01, 0.03, 0.1)  # of gradient descent; those that `--validate` tries
RATE = 0.03

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags, when this is the command: others have flags of the same names."""
    flags.DEFINE_string("config", "char_lm", "Recipe that is scored.")
    flags.DEFINE_bool("validate", False, "Score on the validation part, with seed 0.")
    flags.DEFINE_integer("seeds", 3, "Trainings that are scored on the test part.", 1)
    flags.DEFINE_bool("again", False, "Score a config that is not the first one.")
    record = Path(__file__).with_name("held_out_reads.json")
    flags.DEFINE_string("record", str(record), "Record of the readings.")
    flags.DEFINE_string("out", "runs/benchmarks/held_out_text", "Folder for the results.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    try:
        config = resolve(load_recipe(FLAGS.config).values)
        if not config.data.source.startswith("text:"):
            raise ConfigError(
                f"`--config` must be a recipe for text. Received: data.source "
                f"{config.data.source!r}"
            )
        start_quietly()
        if FLAGS.validate:
            validate(config, Path(FLAGS.out))
        else:
            record = Record(Path(FLAGS.record), "bits_per_character")
            score_test_part(config, Path(FLAGS.out), record, FLAGS.seeds, FLAGS.again)
    except SeqclfError as error:
        sys.exit(f"Error: {error}")
    print(f"results in {FLAGS.out}")


def validate(config: Config, folder: Path) -> None:
    """Prints the figures on the validation part: n-grams, and the recipe with several rates."""
    dataset = load_dataset(**config.data.to_dict())
    assert isinstance(dataset.validation, TextSplit)
    counted(dataset, dataset.validation)
    result = trained_and_scored(config, dataset, dataset.validation, folder / "validation", RATES)
    print(in_words(result))


def score_test_part(
    config: Config, folder: Path, record: Record, seeds: int, again: bool
) -> list[dict[str, Any]]:
    """Trains with each seed on all that stands before the test part, and scores that part.

    Args:
        config: the config of the recipe.
        folder: where the results lie, a folder for each seed.
        record: the record of the test parts that were read.
        seeds: number of trainings.
        again: whether to score a config although another was first.

    Returns:
        The result of each seed.

    Raises:
        DataError: the test part was read for another config, and `again` is False.
    """
    used, of = fingerprint(config), config.data.source
    first = record.check(of, used, again)
    config = config.changed({"data.validation": 0.0, "select": "last"})
    dataset = load_dataset(**config.data.to_dict())
    assert isinstance(dataset.test, TextSplit)
    counted(dataset, dataset.test)
    results = []
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        file = folder / f"{used}_{seed}.json"
        if file.exists():
            result = json.loads(file.read_text())
        else:
            run = folder / f"{used}_{seed}"
            record.begin(of, used)
            result = trained_and_scored(
                config.changed({"seed": seed}), dataset, dataset.test, run, (RATE,)
            )
            record.end(of, used, seed, result["static"])
            write_json(file, result)
        print(f"seed {seed}: {in_words(result)}", flush=True)
        results.append(result)
    static = [result["static"] for result in results]
    dynamic = [result["dynamic"][str(RATE)] for result in results]
    mark = "" if first else " (not the first config that was scored on this part)"
    print(
        f"median (least–most) of {seeds}: static {spread(static)}, dynamic {spread(dynamic)} "
        f"bits per character{mark}"
    )
    return results


def counted(dataset: Dataset, part: TextSplit) -> None:
    """Prints what Kneser-Ney models predict of a part of a text."""
    assert isinstance(dataset.train, TextSplit)
    learnt = dataset.train.tokens.tolist()
    text = [*learnt, *part.tokens.tolist()]
    for order in ORDERS:
        begun = time.process_time()
        model = KneserNey(learnt, order, dataset.spec.num_classes, DISCOUNT)
        bits = model.bits(text, len(learnt))
        seconds = time.process_time() - begun
        said = f"{bits:.3f} bits per token, {seconds:.0f} s of CPU time"
        print(f"Kneser-Ney, order {order}: {said}", flush=True)


def trained_and_scored(
    config: Config, dataset: Dataset, part: TextSplit, folder: Path, rates: tuple[float, ...]
) -> dict[str, Any]:
    """Trains a config and returns its bits per character on a part of the text.

    Args:
        config: the config.
        dataset: the text.
        part: the part that is scored.
        folder: the run.
        rates: the rates of dynamic evaluation.
    """
    run = Run(folder)
    run.prepare(config)
    begun = time.perf_counter(), time.process_time()
    model, *_ = fit(config, dataset, run)
    seconds, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    score = TextScorer(model, dataset.spec)(part)
    per_token = score.bits_per_character / score.bits_per_token
    weights, dynamic = model.get_weights(), {}
    for rate in rates:
        model.set_weights(weights)
        logs = dynamic_log_probabilities(model, part, rate)
        dynamic[str(rate)] = float(-logs.mean() / math.log(2) * per_token)
    return {
        "static": score.bits_per_character,
        "dynamic": dynamic,
        "seconds": seconds,
        "cpu_seconds": cpu,
    }


def dynamic_log_probabilities(model: Any, part: TextSplit, rate: float) -> np.ndarray:
    """Returns the log-probability of each token of a part, each piece learnt from after it.

    Args:
        model: a language model; its weights change.
        part: the part; the tokens before it are read, and not learnt from.
        rate: the learning rate of gradient descent; the loss is the mean cross-entropy of a piece.

    Returns:
        Natural logarithms, float32 `[M]`, without the first token if nothing stands before it.
    """

    @tf.function(reduce_retracing=True)
    def learn(tokens: tf.Tensor, targets: tf.Tensor, state: list[tf.Tensor]) -> Any:
        with tf.GradientTape() as tape:
            logits, after = advance(model, tokens, state, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(rate * tf.convert_to_tensor(gradient))
        return losses[0], after

    text = np.concatenate([part.before, part.tokens]).astype(np.int32)
    first = max(1, len(part.before))
    state = [tf.constant(each) for each in zero_state(model, 1)]
    if first > 1:
        _, state = advance(model, text[None, : first - 1], state)
    logs = []
    for begin in range(first - 1, len(text) - 1, PIECE):
        end = min(begin + PIECE, len(text) - 1)
        losses, state = learn(text[None, begin:end], text[None, begin + 1 : end + 1], state)
        logs.append(-losses.numpy())
    return np.concatenate(logs)


def in_words(result: dict[str, Any]) -> str:
    """Returns a result in one line."""
    dynamic = ", ".join(f"{bits:.3f} (rate {rate})" for rate, bits in result["dynamic"].items())
    return (
        f"static {result['static']:.3f}, dynamic {dynamic} bits per character, "
        f"{result['seconds']:.0f} s, {result['cpu_seconds']:.0f} s of CPU time"
    )


def spread(values: list[float]) -> str:
    return f"{median(values):.3f} ({min(values):.3f}–{max(values):.3f})"


if __name__ == "__main__":
    define_flags()
    app.run(main)
