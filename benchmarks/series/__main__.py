"""Compares the recipe of archive time series with what people would use instead, in one run.

    python -m benchmarks.series
    python -m benchmarks.series --sets=GunPoint,ArrowHead --contenders=seqclf,MiniRocket
    python -m benchmarks.series --sets=PLAID --config.data.normalize=sequence --again

Each contender is trained on the archive's own training split of every set, and scored on its test
split: those that draw random numbers with three seeds, which no choice was made with. All take
their turn on a set before the next one, so that a run that is stopped has whole rows. A result
that is on disk is not computed again: Ctrl-C loses at most the training under way.
`test_reads.json` records for which config the test split of a set was read first; another config is
refused, unless `--again` marks its figures.

docs/series.md says what to install, and by which rules it is measured.
"""

import sys
from pathlib import Path

from absl import app, flags

from benchmarks.series.comparison import FIRST_SEED, compare
from benchmarks.series.contenders import CONTENDERS
from benchmarks.series.sets import ALL
from benchmarks.series.tables import tables
from benchmarks.test_reads import Record
from seqclf.api.estimator.configs import OPTIONS
from seqclf.config import resolve
from seqclf.console.config_flag import ConfigFlag
from seqclf.console.tensorflow_start import start_quietly
from seqclf.errors import ConfigError, SeqclfError
from seqclf.storage.files import write_text

_CONFIG = ConfigFlag()
flags.FLAGS.set_default("config", "series")
_SETS = flags.DEFINE_list("sets", list(ALL), "Data sets, in this order.")
_CONTENDERS = flags.DEFINE_list("contenders", list(CONTENDERS), "Contenders, in this order.")
_SEEDS = flags.DEFINE_integer("seeds", 3, "Trainings of each contender that draws numbers.", 1)
_LIMIT = flags.DEFINE_float(
    "limit", 300.0, "CPU seconds after which nearest neighbours are given up for a set.", 1.0
)
_AGAIN = flags.DEFINE_bool(
    "again", False, "Score a config that is not the first one for a set; its figures are marked."
)
_RECORD = flags.DEFINE_string(
    "record",
    str(Path(__file__).with_name("test_reads.json")),
    "Record of the test splits that were read.",
)
_OUT = flags.DEFINE_string("out", "runs/benchmarks/series", "Folder for the results.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    folder = Path(_OUT.value)
    try:
        if unknown := [name for name in _CONTENDERS.value if name not in CONTENDERS]:
            raise ConfigError(
                f"`--contenders` must name some of {', '.join(CONTENDERS)}. "
                f"Received: {unknown[0]!r}"
            )
        config = resolve(_CONFIG.value)
        for key in _CONFIG.overridden_keys():
            if key == "seed" or (key.startswith("data.") and key[5:] not in OPTIONS):
                raise ConfigError(
                    f"--config.{key} changes nothing here: the sets are the archive's, and seeds "
                    f"count from {FIRST_SEED}. Leave it out."
                )
        start_quietly()
        results = compare(
            config,
            _SETS.value,
            {name: CONTENDERS[name] for name in _CONTENDERS.value},
            folder,
            Record(Path(_RECORD.value)),
            seeds=_SEEDS.value,
            limit=_LIMIT.value,
            again=_AGAIN.value,
        )
    except SeqclfError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"\nStopped. What is finished is in {folder}; the same command goes on.")
    text = tables(results)
    write_text(folder / "series.md", text)
    print(f"\n{text}\nresults in {folder}")


if __name__ == "__main__":
    app.run(main)
