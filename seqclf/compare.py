"""Trains each recurrent cell on one recipe, at equal width and equal size, and compares them.

    python -m seqclf.compare --config=configs/compare_cells.py
    python -m seqclf.compare --config=configs/compare_cells.py --config.data.source=digits --seeds=1

The same command resumes a comparison that was stopped.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from seqclf.comparison import BUDGETS
from seqclf.config import SCHEMA, resolve
from seqclf.console import app
from seqclf.console.next_commands import command_line, next_block
from seqclf.console.progress import announce
from seqclf.data.tables.first_look import check_table
from seqclf.errors import ConfigError

CONFIG = app.define_config_flag()
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the comparison; default: runs/NAME.")
CELLS = flags.DEFINE_list("cells", list(SCHEMA["model.cell"].choices), "Cells to compare.")
EQUAL = flags.DEFINE_multi_enum(
    "equal",
    BUDGETS,
    BUDGETS,
    "What the cells have in common; may be given twice. Default: both, one after the other.",
)
SEEDS = flags.DEFINE_integer(
    "seeds", 3, "Trainings of each variant.", lower_bound=1, upper_bound=10_000
)


def check(argv: Sequence[str]) -> None:
    del argv
    known = SCHEMA["model.cell"].choices
    for cell in CELLS.value:
        if cell not in known:
            raise ConfigError(f"--cells takes {', '.join(known)}. Received: {cell!r}")
    if not CELLS.value:
        raise ConfigError(f"--cells must name at least one of {', '.join(known)}.")
    if "model.cell" in CONFIG.overridden_keys():
        raise ConfigError("--config.model.cell is what is compared: give --cells instead.")
    check_table(resolve(CONFIG.value).data)


def main(argv: Sequence[str]) -> None:
    del argv
    from seqclf.comparison.report import outcome_table, write_report
    from seqclf.comparison.trainings import run_comparison
    from seqclf.data.sources import load_dataset

    config = resolve(CONFIG.value)
    workdir = Path(WORKDIR.value or f"runs/{config.name}").expanduser()
    cells = list(dict.fromkeys(CELLS.value))
    budgets = list(dict.fromkeys(EQUAL.value))
    announce(f"Loading {config.data.source}")
    dataset = load_dataset(**config.data.to_dict())
    outcomes = run_comparison(config, dataset, workdir, cells, SEEDS.value, budgets)
    announce("Writing the report")
    write_report(config, dataset, outcomes, workdir)
    print(
        "\n".join(
            [
                "",
                *outcome_table(outcomes),
                "",
                f"Report   {workdir}/report.md",
                f"Figures  {workdir}/figures/",
                f"Numbers  {workdir}/results.json",
                f"Runs     {workdir}/runs/ (a run directory each)",
                "",
                *next_block(command_line("seqclf.explain", {"workdir": outcomes[0].run})),
            ]
        )
    )


if __name__ == "__main__":
    app.run(main, check=check)
