"""`model_source`: where the model is that a caller of `predict` or `generate` gave."""

from pathlib import Path
from typing import Any

from seqclf.api.runs import TrainedRun, load_run
from seqclf.errors import ConfigError
from seqclf.storage.run_directory import Run


def model_source(model: Any, spec: Any, unknown: str) -> TrainedRun | str | Path | None:
    """Returns the run or the path of the export that was given; None: a Keras model was.

    Args:
        model: a run, the path of a run or of an export, or a Keras model.
        spec: the spec that was given with it; a Keras model needs one, and nothing else may have
            one.
        unknown: what a Keras model does not know without a spec, for the message.

    Raises:
        ConfigError: it is none of these, or `spec` does not go with it.
        RunError: the run cannot be loaded.
    """
    import keras

    if isinstance(model, keras.Model):
        if spec is None:
            raise ConfigError(
                f"A Keras model does not know {unknown}: give `spec=dataset.spec`, or the run "
                "instead of its model. Received: no `spec`"
            )
        return None
    if spec is not None:
        raise ConfigError("`spec` is for a Keras model alone: a run or an export has its own.")
    if isinstance(model, (str, Path)):
        return load_run(model) if Run(model).config.exists() else model
    if not isinstance(model, TrainedRun):
        raise ConfigError(
            "`model` must be a run, the path of a run or of an export, or a Keras model. "
            f"Received: {model!r:.100}"
        )
    return model
