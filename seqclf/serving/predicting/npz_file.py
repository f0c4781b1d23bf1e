"""An `.npz` file whose examples are to be predicted."""

from collections.abc import Iterator, Sequence

from seqclf.data.npz import Arrays
from seqclf.errors import DataError
from seqclf.serving.input_warnings import input_warnings
from seqclf.serving.model_input import ModelInput
from seqclf.serving.npz_inputs import read_npz_inputs
from seqclf.serving.predicting.batches import InputSequence
from seqclf.serving.predicting.input_file import SequenceFile


def open_npz(path: str, model: ModelInput, names: Sequence[str]) -> SequenceFile:
    """Opens an `.npz` file; it is read as a whole.

    The id of an example is the one in `ids`, or else `FILE[i]`. Its label is that of `y`: a string,
    or an index into the `class_names` of the file, or else of the model.

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
    labels = _labels(path, arrays, names)
    for i, x in enumerate(arrays.x):
        name = f"{path}[{i}]" if arrays.ids is None else str(arrays.ids[i])
        valid = x if arrays.lengths is None else x[: arrays.lengths[i]]
        yield InputSequence(name, valid.astype(model.dtype), labels[i])


def _labels(path: str, arrays: Arrays, names: Sequence[str]) -> list[str | None]:
    """Returns the class of each example; an index that no class has stays a number."""
    y = arrays.y
    if y is None:
        return [None] * len(arrays.x)
    if y.shape != (len(arrays.x),) or y.dtype.kind not in "iuU":
        raise DataError(
            f"{path}: `y` must be integers or strings of shape [{len(arrays.x)}], one for each "
            f"example of `x`. Received: {y.dtype} {list(y.shape)}"
        )
    if y.dtype.kind == "U":
        return [str(label) for label in y]
    known = arrays.class_names or names
    return [known[i] if 0 <= i < len(known) else str(i) for i in y.tolist()]
