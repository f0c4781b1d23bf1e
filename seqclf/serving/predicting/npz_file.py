"""An `.npz` file whose examples are to be predicted."""

from collections.abc import Iterator, Sequence

from seqclf.data.npz import Arrays
from seqclf.data.step_labels import NO_LABEL
from seqclf.errors import DataError
from seqclf.serving.input_warnings import input_warnings
from seqclf.serving.model_input import ModelInput
from seqclf.serving.npz_inputs import read_npz_inputs
from seqclf.serving.predicting.batches import InputSequence, Label
from seqclf.serving.predicting.input_file import SequenceFile


def open_npz(path: str, model: ModelInput, names: Sequence[str]) -> SequenceFile:
    """Opens an `.npz` file; it is read as a whole.

    The id of an example is the one in `ids`, or else `FILE[i]`. Its label is that of `y`: a string,
    or an index into the `class_names` of the file, or else of the model. For a model that
    classifies time steps `y` is `[N, T]`, with -1 or "" at time steps without a label.

    Args:
        path: the file.
        model: description of the inputs that the model takes.
        names: the class names of the model.

    Raises:
        DataError: the file is missing, damaged, or does not fit the model.
    """
    arrays = read_npz_inputs(
        path, model.shape, model.dtype, model.variable_length, model.takes_missing
    )
    inputs = {"inputs": arrays.x}
    if arrays.lengths is not None:
        inputs["lengths"] = arrays.lengths
    return SequenceFile(
        path,
        model,
        _sequences(path, arrays, model, names),
        labelled=arrays.y is not None,
        count=len(arrays.x),
        warnings=input_warnings(inputs, None).values(),
    )


def _sequences(
    path: str, arrays: Arrays, model: ModelInput, names: Sequence[str]
) -> Iterator[InputSequence]:
    labels = _labels(path, arrays, names, model.per_step)
    for i, x in enumerate(arrays.x):
        name = f"{path}[{i}]" if arrays.ids is None else str(arrays.ids[i])
        valid = x if arrays.lengths is None else x[: arrays.lengths[i]]
        label = labels[i]
        if isinstance(label, tuple):
            label = label[: len(valid)]
        yield InputSequence(name, valid.astype(model.dtype), label)


def _labels(path: str, arrays: Arrays, names: Sequence[str], per_step: bool) -> Sequence[Label]:
    """Returns the labels of each example; an index that no class has stays a number."""
    y = arrays.y
    if y is None:
        return [None] * len(arrays.x)
    shape = arrays.x.shape[: 2 if per_step else 1]
    if y.shape != shape or y.dtype.kind not in "iuU":
        each = "time step" if per_step else "example"
        raise DataError(
            f"{path}: `y` must be integers or strings of shape {list(shape)}, one for each "
            f"{each} of `x`. Received: {y.dtype} {list(y.shape)}"
        )
    known = arrays.class_names or names
    if per_step:
        return [tuple(_step_label(label, known) for label in row) for row in y.tolist()]
    return [_name(label, known) for label in y.tolist()]


def _step_label(label: int | str, names: Sequence[str]) -> str | None:
    return None if label in (NO_LABEL, "") else _name(label, names)


def _name(label: int | str, names: Sequence[str]) -> str:
    if isinstance(label, str):
        return label
    return names[label] if 0 <= label < len(names) else str(label)
