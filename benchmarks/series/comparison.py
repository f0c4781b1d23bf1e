"""`compare`: runs every contender on every set, and keeps each result in a file of its own."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.fingerprints import fingerprint
from benchmarks.series.contenders import OURS, Contender, OverTimeError, measure
from benchmarks.series.scores import scores_of
from benchmarks.series.sets import ArchiveSet, Examples, archive_set
from benchmarks.test_reads import Record
from seqclf.config import Config
from seqclf.storage.files import write_json

FIRST_SEED = 100  # choices were made with seeds from 0


def compare(
    config: Config,
    sets: Sequence[str],
    contenders: Mapping[str, Contender],
    folder: Path,
    record: Record,
    *,
    seeds: int,
    limit: float,
    again: bool = False,
    find: Any = archive_set,
) -> list[dict[str, Any]]:
    """Returns the results of all contenders, sets and seeds, those on disk included.

    Args:
        config: the config of the recipe.
        sets: names of the data sets.
        contenders: the contenders by name.
        folder: where the results lie, a JSON file each.
        record: the record of the test splits that were read for a config.
        seeds: number of trainings of a contender that draws random numbers.
        limit: CPU seconds after which a prediction in parts is given up.
        again: whether to score a config although another was first.
        find: returns a data set by its name.

    Raises:
        DataError: a set cannot be read, or its test split was read for another config.
    """
    found = [find(name) for name in sets]  # a package that is missing is told before any training
    pairs = [
        (each, name, seed)
        for each in found
        for name, contender in contenders.items()
        for seed in range(FIRST_SEED, FIRST_SEED + (seeds if contender.random else 1))
    ]
    results, used = [], fingerprint(config)
    for number, (each, name, seed) in enumerate(pairs, 1):
        contender = contenders[name]
        key = {
            "set": each.name,
            "contender": name,
            "seed": seed,
            "config": used if contender.of_config else "",
        }
        file = folder / f"{each.name}_{name.replace(' ', '_')}_{seed}_{key['config']}.json"
        if file.exists():
            result = json.loads(file.read_text())
        else:
            ours = name == OURS
            first = record.check(each.name, used, again) if ours else True
            before_reading = partial(record.begin, each.name, used) if ours else None
            result = key | {"first": first}
            result |= _result(contender, each, seed, config, limit, before_reading)
            if ours:
                record.end(each.name, used, seed, result["accuracy"])
            write_json(file, result)
        print(f"[{number}/{len(pairs)}] {_in_words(result)}", flush=True)
        results.append(result)
    return results


def _result(
    contender: Contender,
    of: ArchiveSet,
    seed: int,
    config: Config,
    limit: float,
    before_reading: Callable[[], None] | None,
) -> dict[str, Any]:
    """Trains and scores a contender; returns its figures, or why it has none.

    `before_reading` is called when the training is over and the test split is about to be read.
    """
    train = of.train()
    tests: list[Examples] = []

    def read_test() -> Examples:
        if before_reading:
            before_reading()
        tests.append(of.test())
        return tests[0]

    size = {"train": len(train.x), "time_steps": train.longest}
    try:
        measured = measure(contender, train, read_test, seed, config, limit)
    except OverTimeError as error:
        return size | {"over_time": str(error)}
    return {
        **size,
        **scores_of(tests[0].y, measured.predicted),
        "fit_seconds": measured.fit_seconds,
        "predict_seconds": measured.predict_seconds,
    }


def _in_words(result: Mapping[str, Any]) -> str:
    """Returns a result in one line."""
    begin = f"{result['set']}, {result['contender']}, seed {result['seed']}: "
    if "over_time" in result:
        return begin + str(result["over_time"])
    return (
        f"{begin}{result['accuracy']:.2%}, balanced {result['balanced_accuracy']:.2%}, "
        f"{result['fit_seconds']:.1f} + {result['predict_seconds']:.1f} s of CPU time"
    )
