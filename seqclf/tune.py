"""Searches hyper-parameters with Keras Tuner, over the space that a recipe declares.

    python -m seqclf.tune --config=configs/digits.py --tuner=bayesian --max_trials=20
    python -m seqclf.tune --config=configs/mnist.py --tuner=hyperband --max_epochs=6

The same command resumes a search that was stopped. With KERASTUNER_TUNER_ID, KERASTUNER_ORACLE_IP
and KERASTUNER_ORACLE_PORT set it is the chief or a worker of a search on several machines.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from seqclf.config import CRITERIA, resolve
from seqclf.console import app
from seqclf.console.next_commands import command_line, next_block
from seqclf.data.tables.first_look import check_table
from seqclf.errors import ConfigError

CONFIG = app.define_config_flag()
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the search; default: runs/NAME_search.")
TUNER = flags.DEFINE_enum(
    "tuner",
    "bayesian",
    ["hyperband", "bayesian", "random", "grid"],
    "The algorithm that chooses the values of each trial.",
)
OBJECTIVE = flags.DEFINE_enum(
    "objective",
    "validation_accuracy",
    [
        *(f"validation_{name}" for name in CRITERIA),
        *("train_accuracy", "train_loss", "train_seconds"),
    ],
    "The quantity to improve.",
)
MAX_TRIALS = flags.DEFINE_integer(
    "max_trials",
    None,
    "Largest number of trials; default: 20 for bayesian and random, no limit for hyperband and "
    "grid.",
    lower_bound=1,
)
MAX_EPOCHS = flags.DEFINE_integer(
    "max_epochs", None, "Epochs of a whole training; default: as the config says.", lower_bound=1
)
EXECUTIONS = flags.DEFINE_integer(
    "executions_per_trial", 1, "Trainings of each trial; their mean counts.", lower_bound=1
)
SEED = flags.DEFINE_integer(
    "seed",
    0,
    "Seed of the tuner's random choices.",
    lower_bound=0,
    upper_bound=2**32 - 2,  # NumPy's limit, less one that is added to it
)
OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Delete the search that --workdir holds, and begin a new one."
)
LOST_AFTER = flags.DEFINE_float(
    "lost_after",
    60.0,
    "Seconds of silence after which a worker's trial is given to another worker.",
    lower_bound=1.0,
    upper_bound=1e6,
)


def check(argv: Sequence[str]) -> None:
    del argv
    from seqclf.config.search_space import SearchSpace

    if math.isnan(LOST_AFTER.value):  # it lies within all bounds
        raise ConfigError("--lost_after must be a number of seconds. Received: nan")
    SearchSpace(CONFIG.value, CONFIG.recipe.search_space())
    check_table(resolve(CONFIG.value).data)


def main(argv: Sequence[str]) -> None:
    del argv
    from seqclf.config.search_space import SearchSpace
    from seqclf.tuner.search import SearchOptions, run_search

    space = SearchSpace(CONFIG.value, CONFIG.recipe.search_space())
    given = [key for key in CONFIG.overridden_keys() if key in space.declared]
    if given:
        print(f"Given on the command line, so not searched: {', '.join(given)}", flush=True)
        space = space.without(given)
    max_trials = MAX_TRIALS.value
    if max_trials is None and TUNER.value in ("bayesian", "random"):
        max_trials = 20
    options = SearchOptions(
        tuner=TUNER.value,
        objective=OBJECTIVE.value,
        max_trials=max_trials,
        max_epochs=MAX_EPOCHS.value,
        executions_per_trial=EXECUTIONS.value,
        seed=SEED.value,
        lost_after=LOST_AFTER.value,
    )
    folder = str(Path(WORKDIR.value or f"runs/{space.config.name}_search").expanduser())
    rows = run_search(space, options, folder, OVERWRITE.value)
    if rows:
        print(summary(folder, rows, options.objective))


def summary(folder: str, rows: list[dict[str, Any]], objective: str) -> str:
    """Returns the ranking, where everything is, and the commands to type next."""
    from seqclf.tuner.results import SHOWN, ranking_table

    more = [f"… and {len(rows) - SHOWN} more in search.md"] if len(rows) > SHOWN else []
    return "\n".join(
        [
            "",
            *ranking_table(rows[:SHOWN], objective),
            *more,
            "",
            f"Report       {folder}/search.md",
            f"Best config  {folder}/best_config.py, best_config.json",
            f"Trials       {folder}/trials/ (a run directory each)",
            "",
            *next_block(
                command_line("seqclf.train", {"config": f"{folder}/best_config.py"}),
                command_line("tensorboard.main", {"logdir": f"{folder}/trials"}),
            ),
        ]
    )


if __name__ == "__main__":
    app.run(main, check=check)
