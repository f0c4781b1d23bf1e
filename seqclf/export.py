"""Exports the model of a run for TF Serving.

    python -m seqclf.export --workdir=runs/mnist --export_dir=models/mnist

writes models/mnist/1, and models/mnist/2 the next time.
"""

from collections.abc import Sequence

from absl import flags

from seqclf import commands

WORKDIR = flags.DEFINE_string("workdir", None, "Run directory.", required=True)
EXPORT_DIR = flags.DEFINE_string("export_dir", None, "Folder of the versions.", required=True)
INPUT_DTYPE = flags.DEFINE_enum(
    "input_dtype", "", ["", "uint8", "float32"], "Of the raw inputs; default: that of the data."
)


def main(argv: Sequence[str]) -> None:
    del argv
    from seqclf.runs import Run
    from seqclf.serving.export import export_run

    version = export_run(Run(WORKDIR.value), EXPORT_DIR.value, INPUT_DTYPE.value)
    print(f"Exported {version}")
    print(
        f"Try it: {commands.python_command()} -m seqclf.predict --model={EXPORT_DIR.value} FILE.png"
    )


if __name__ == "__main__":
    commands.run(main)
