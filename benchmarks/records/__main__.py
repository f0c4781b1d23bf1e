"""Accuracy records: choices by validation alone, then one reading of the test split.

    python -m benchmarks.records --task=digits                # all of a task, or what is left of it
    python -m benchmarks.records --task=mnist_best --choose_only    # no test split is read
    python -m benchmarks.records --table                       # the tables of all tasks

Every training runs in a process of its own and is kept, with its time, in `attempts.jsonl`.
`test_reads.json` records for which config the test split of a task was read first; another config
is refused, unless `--again` marks its figures. Ctrl-C loses nothing but the step under way: the
same command goes on. docs/recipes.md has the protocol.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from benchmarks.only import chosen, define_only
from benchmarks.records.attempts import Attempts
from benchmarks.records.protocol import Limits, Records
from benchmarks.records.tables import tables
from benchmarks.records.tasks import TASKS, Task, read_changes, task_of
from seqclf.console import app
from seqclf.errors import ConfigError
from seqclf.storage.files import write_text

HERE = Path(__file__).parent
_TASK = flags.DEFINE_list("task", [], f"Tasks, in this order: {', '.join(TASKS)}.")
_TABLE = flags.DEFINE_bool("table", False, "Print the tables of all tasks, and run nothing.")
_CHOOSE_ONLY = flags.DEFINE_bool("choose_only", False, "End before a test split is read.")
_ONLY = define_only("changes")
_CHANGES = flags.DEFINE_string(
    "changes", "", 'JSON file with changes to compare, too: {"name": {"key": value}}.'
)
_SHORT = flags.DEFINE_integer("short_seeds", 5, "Short trainings of each change.", 1, 100)
_FINALISTS = flags.DEFINE_integer("finalists", 3, "Changes that are trained whole.", 1)
_WHOLE = flags.DEFINE_integer("whole_seeds", 3, "Whole trainings of each of these.", 1, 100)
_AGAIN = flags.DEFINE_bool(
    "again", False, "Read a test split for a config that is not the first one; it is marked."
)
_AT_ONCE = flags.DEFINE_integer(
    "at_once", 1, "Trainings for choosing at a time, each on its share of the cores.", 1
)
_FASHION = flags.DEFINE_string(
    "fashion_mnist_dir", "", "Folder with Fashion-MNIST's four files; empty: tensorflow-datasets."
)
_ATTEMPTS = flags.DEFINE_string(
    "attempts", str(HERE / "attempts.jsonl"), "File of all trainings and readings."
)
_RECORD = flags.DEFINE_string(
    "record", str(HERE / "test_reads.json"), "Record of the test splits that were read."
)
_OUT = flags.DEFINE_string("out", "runs/benchmarks/records", "Folder for runs and tables.")


def main(argv: Sequence[str]) -> None:
    """Runs the tasks, or prints the tables."""
    del argv
    attempts, folder = Attempts(Path(_ATTEMPTS.value)), Path(_OUT.value)
    if not _TABLE.value:
        if not _TASK.value:
            raise ConfigError(f"`--task` must name some of {', '.join(TASKS)}, or set --table.")
        tasks = [asked(task_of(name)) for name in _TASK.value]
        limits = Limits(_SHORT.value, _FINALISTS.value, _WHOLE.value)
        records = Records(
            attempts,
            Path(_RECORD.value),
            folder,
            limits,
            again=_AGAIN.value,
            at_once=_AT_ONCE.value,
        )
        for task in tasks:
            records.run(task, _CHOOSE_ONLY.value)
    text = tables(attempts.lines(), {task.name: task.note for task in TASKS.values()})
    print(text)
    if not _TABLE.value:
        write_text(folder / "records.md", text)
        print(
            f"Tables      {folder / 'records.md'}\nRuns        {folder}/TASK/CONFIG_SEED/run\n"
            f"Attempts    {_ATTEMPTS.value}\nTest reads  {_RECORD.value}"
        )


def asked(task: Task) -> Task:
    """Returns a task with the changes and the data that the command line asks for."""
    changes = {**task.changes, **(read_changes(_CHANGES.value) if _CHANGES.value else {})}
    if changes:
        changes = {name: changes[name] for name in chosen(changes, _ONLY.value)}
    base = dict(task.base)
    if task.name == "fashion_mnist" and _FASHION.value:
        base["data.source"] = f"idx:{_FASHION.value}"
    return dataclasses.replace(task, base=base, changes=changes)


if __name__ == "__main__":
    app.run(main, tensorflow=lambda: False)
