"""`export`: writes the model of a run for TensorFlow Serving."""

from pathlib import Path
from typing import TYPE_CHECKING

from seqclf.api.runs import opened
from seqclf.console.tensorflow_start import start_quietly

if TYPE_CHECKING:
    from seqclf.api.runs import TrainedRun


def export(
    run: "TrainedRun | str | Path",
    export_dir: str | Path,
    *,
    input_dtype: str = "",
    keep: int = 0,
    litert: str = "",
) -> Path:
    """Exports the model of a run as the next version; it appears when it has passed every check.

    Args:
        run: what `fit` or `load_run` returned, or the path of a run directory.
        export_dir: the folder of the versions; it is created if needed.
        input_dtype: dtype of the raw values that the model takes, `uint8` or `float32`; empty: the
            dtype of the data.
        keep: number of newest versions to keep; 0 keeps all.
        litert: `float32` or `int8` to write a LiteRT file too; empty: none.

    Returns:
        The folder of the new version, `EXPORT_DIR/<version>`.

    Raises:
        RunError: the run has no model yet.
        ConfigError: an option does not fit the data.
        ExportError: the folder cannot be written, or a check failed; nothing is published.

    Example:
        >>> seqclf.export("runs/digits", "models/digits")  # doctest: +SKIP
        PosixPath('models/digits/1')
    """
    trained = opened(run)
    start_quietly()
    from seqclf.serving.export import export_run

    return export_run(trained.directory, export_dir, input_dtype, keep, litert=litert)
