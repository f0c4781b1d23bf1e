"""Evaluates the model of a run on one of its splits.

python -m seqclf.evaluate --workdir=runs/mnist [--split=test] [--json]
"""

import json
from collections.abc import Sequence

from absl import flags

from seqclf.console import app

WORKDIR = flags.DEFINE_string("workdir", None, "Run directory of a finished training.")
SPLIT = flags.DEFINE_enum(
    "split", "test", ["train", "validation", "test"], "Split whose examples are scored."
)
JSON = flags.DEFINE_bool("json", False, "Print JSON instead of a table.")


def check(argv: Sequence[str]) -> None:
    del argv
    from seqclf.storage.run_directory import Run

    Run(WORKDIR.value).read_config()


def main(argv: Sequence[str]) -> None:
    del argv
    from seqclf.experiment.run_evaluation import evaluate_run
    from seqclf.experiment.score_text import class_table, never_predicted, score_line, score_table
    from seqclf.storage.run_directory import Run

    result = evaluate_run(Run(WORKDIR.value), SPLIT.value)
    if JSON.value:
        print(json.dumps(result, indent=2))
        return
    lines = [score_line(SPLIT.value, result), *never_predicted(result), ""]
    print("\n".join([*lines, *score_table(result), "", *class_table(result)]).rstrip())


if __name__ == "__main__":
    app.run(main, check=check, required=["workdir"])
