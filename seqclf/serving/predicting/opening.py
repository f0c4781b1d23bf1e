"""`open_input`: opens a file for predictions by its kind."""

from collections.abc import Sequence

from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.image_file import ImageInput
from seqclf.serving.predicting.input_file import InputFile
from seqclf.serving.predicting.npz_file import open_npz


def open_input(
    path: str, model: ModelInput, names: Sequence[str], invert: bool = False
) -> InputFile:
    """Opens a file whose examples are to be predicted.

    Args:
        path: an `.npz` file or an image file.
        model: what the model takes.
        names: the class names of the model.
        invert: whether to swap dark and bright in an image first.

    Raises:
        DataError: the file is missing, damaged, or does not fit the model.
    """
    if path.lower().endswith(".npz"):
        return open_npz(path, model, names)
    return ImageInput(path, model, invert)
