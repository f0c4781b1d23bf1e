"""`read_beside`: the test split is read for a config, with Keras's classic in turns with it."""

from typing import TYPE_CHECKING

from benchmarks.fingerprints import fingerprint
from benchmarks.records.attempts import READING
from benchmarks.records.counting import Count, read_in_words
from benchmarks.records.tasks import Task
from benchmarks.test_reads import Record
from seqclf.config import Config

if TYPE_CHECKING:
    from benchmarks.records.protocol import Records

OURS = ""
CLASSIC = "Keras, classic"  # as `benchmarks.learners` calls it


def read_beside(
    records: "Records", task: Task, name: str, config: Config, record: Record, first: bool
) -> None:
    """Trains and scores all fresh seeds that are missing, by both contenders in turns.

    Both read the same images from the same file, in processes of their own, and write nothing while
    they train. So their times from the start of the process can be compared.

    Args:
        records: what the tasks share.
        task: the task.
        name: the name of the change that was chosen.
        config: its config.
        record: the record of the test splits that were read.
        first: whether this config is the first one for the task.
    """
    used, folder = fingerprint(config), records.folder / task.name
    progress = Count(f"{task.name}, fresh", 2 * task.fresh)
    values = config.to_dict()
    path = records.job({"mode": "data", "config": values}, folder / "data")["data"]
    record.begin(task.name, used)
    for seed in task.fresh_seeds:
        for contender in (OURS, CLASSIC):
            key = {"kind": READING, "task": task.name, "contender": contender, "seed": seed}
            key["config"] = used  # of the other one, too: it was trained in turns with this config
            line = records.attempts.find(**key)
            if line is None:
                job = {"mode": "beside", "contender": contender, "seed": seed, "data": path}
                where = folder / f"{used}_{seed}{'_classic' * bool(contender)}"
                result = records.job({**job, "config": values}, where)
                line = records.attempts.add({**key, "first": first, "change": name, **result})
                progress.done(
                    f"{contender or 'seqclf'}, seed {seed}: {read_in_words(line['test'])}, "
                    f"{line['seconds']:.1f} s"
                )
            else:
                progress.known()
            if contender == OURS:
                record.end(task.name, used, seed, line["test"]["accuracy"])
