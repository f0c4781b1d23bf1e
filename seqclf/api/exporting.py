"""`export`: writes the model of a run for TensorFlow Serving."""

from pathlib import Path
from typing import TYPE_CHECKING

from seqclf.api.runs import opened
from seqclf.console.tensorflow_start import start_quietly

if TYPE_CHECKING:
    from seqclf.api.runs import TrainedRun
    from seqclf.data.dataset import Dataset


def export(
    run: "TrainedRun | str | Path",
    export_dir: str | Path,
    *,
    input_dtype: str = "",
    keep: int = 0,
    litert: str = "",
    onnx: bool = False,
    calibrate: bool = False,
    target_recall: float | str | None = None,
    target_precision: float | str | None = None,
    dataset: "Dataset | None" = None,
) -> Path:
    """Exports the model of a run as the next version; it appears when it has passed every check.

    Args:
        run: what `fit` or `load_run` returned, or the path of a run directory.
        export_dir: the folder of the versions; it is created if needed.
        input_dtype: dtype of the raw values that the model takes, `uint8` or `float32`; empty: the
            dtype of the data.
        keep: number of newest versions to keep; 0 keeps all.
        litert: `float32` or `int8` to write a LiteRT file too; empty: none.
        onnx: whether to write an ONNX file too; it needs the extra `onnx` (docs/serving.md).
        calibrate: whether to fit a temperature on the validation split, by which the exported model
            divides its logits.
        target_recall: for two classes: the recall that the class with fewer examples must reach on
            the validation split, such as 0.95, or that of a class, such as "fault=0.95". The export
            then answers with the class from the highest probability on that reaches it.
        target_precision: the same for the precision, and the lowest probability that reaches it.
        dataset: the data of the run, where it came from arrays in memory, for these three. None:
            what `fit` was given; otherwise it is loaded as the run's config says.

    Returns:
        The folder of the new version, `EXPORT_DIR/<version>`.

    Raises:
        RunError: the run has no model yet.
        ConfigError: an option does not fit the data.
        DataError: no temperature can be fitted, or no threshold reaches the target.
        ExportError: the folder cannot be written, or a check failed; nothing is published.

    Example:
        >>> seqclf.export("runs/digits", "models/digits")  # doctest: +SKIP
        PosixPath('models/digits/1')
    """
    trained = opened(run)
    start_quietly()
    from seqclf.experiment.decision import choose_decision
    from seqclf.serving.decision import parse_target
    from seqclf.serving.export import export_run

    target = parse_target(target_recall, target_precision)
    data = trained.dataset if dataset is None else dataset
    decision = choose_decision(trained.directory, calibrate, target, data)
    return export_run(
        trained.directory,
        export_dir,
        input_dtype,
        keep,
        litert=litert,
        onnx=onnx,
        decision=decision,
    )
