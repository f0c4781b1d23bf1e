"""`read_folds`: cross-validation of a recipe and of others' classifiers, on the same folds."""

import hashlib
from typing import TYPE_CHECKING, Any

from benchmarks.fingerprints import fingerprint
from benchmarks.records.attempts import READING, Line
from benchmarks.records.counting import Count, read_in_words
from benchmarks.records.folds import CONTENDERS, OURS
from benchmarks.records.tasks import AS_IT_IS, FIRST_FRESH, Task
from benchmarks.test_reads import Record
from seqclf.config import Config
from seqclf.errors import ConfigError
from seqclf.storage.files import remove

if TYPE_CHECKING:
    from benchmarks.records.protocol import Records

FOLD_COUNT = 5


def read_folds(records: "Records", task: Task) -> None:
    """Trains and scores all folds that are missing. A repetition has folds and a seed of its own.

    Args:
        records: what the tasks share.
        task: the task.

    Raises:
        ConfigError: the task has changes: there is no validation split to choose by.
        DataError: the folds were read for another config.
    """
    if task.changes:
        raise ConfigError(
            f"{task.name}: every example is scored in some fold, so that none is left to choose "
            "by: leave out --changes."
        )
    config = task.configs()[AS_IT_IS]
    used, record = fingerprint(config), Record(records.record)
    first = record.check(task.name, used, records.again)
    progress = Count(task.name, task.fresh * FOLD_COUNT * len(CONTENDERS))
    record.begin(task.name, used)
    for seed in task.fresh_seeds:
        scores = []
        for fold in range(FOLD_COUNT):
            for contender in CONTENDERS:
                line = _fold(records, task, config, (contender, seed, fold), first, progress)
                scores += [line["test"]] * (contender == OURS)
        right = sum(each["correct"] for each in scores)
        record.end(task.name, used, seed, right / sum(each["examples"] for each in scores))


def _fold(
    records: "Records",
    task: Task,
    config: Config,
    place: tuple[str, int, int],
    first: bool,
    progress: Count,
) -> Line:
    """Returns the line of a fold, which is trained now if it was not yet.

    Args:
        records: what the tasks share.
        task: the task.
        config: the config of the recipe.
        place: the contender, the seed and the fold.
        first: whether this config is the first one for the task.
        progress: counts the folds.
    """
    contender, seed, fold = place
    used = fingerprint(config) if contender == OURS else _short_name(contender)
    key: dict[str, Any] = {"kind": READING, "task": task.name, "contender": contender}
    key |= {"config": used, "seed": seed, "fold": fold}
    line = records.attempts.find(**key)
    if line is not None:
        progress.known()
        return line
    job = {"mode": "fold", "config": config.to_dict(), "contender": contender, "seed": seed}
    job |= {"repetition": seed - FIRST_FRESH, "fold": fold, "folds": FOLD_COUNT}
    folder = records.folder / task.name / f"{used}_{seed}_{fold}"
    result = records.job(job, folder)
    ours = {"first": first, "change": AS_IT_IS} if contender == OURS else {}
    line = records.attempts.add({**key, **ours, **result})
    remove(folder)
    progress.done(f"{contender}, seed {seed}, fold {fold}: {read_in_words(line['test'])}")
    return line


def _short_name(contender: str) -> str:
    """Returns what stands for the config of a contender that has none."""
    return hashlib.sha256(contender.encode()).hexdigest()[:12]
