"""`ModelInput`: the inputs of a model, which is a folder on this machine or on a server."""

from dataclasses import dataclass

from seqclf.data.input_shape import Shape, batch_in_words
from seqclf.data.spec import DatasetSpec
from seqclf.serving.input_range import InputRange

ARRAYS, IMAGES = "serving_default", "serving_bytes"  # the signatures that predictions ask


@dataclass(frozen=True)
class ModelInput:
    """A description of the inputs that a model takes.

    Attributes:
        dtype: dtype of the raw values, `uint8` or `float32`.
        shape: shape of one raw example; None for a dimension of any size.
        variable_length: whether each example comes with its length.
        reads_images: whether the model decodes image files itself.
        spec: spec of the training data; None if it is not known, because a server does not tell it.
        input_range: range of the training inputs; None if it is not known.
        per_step: whether the model classifies each time step.
    """

    dtype: str
    shape: Shape
    variable_length: bool
    reads_images: bool
    spec: DatasetSpec | None = None
    input_range: InputRange | None = None
    per_step: bool = False

    @property
    def missing(self) -> str:
        """The setting `data.missing` of the training; "" if the spec is not known."""
        return self.spec.missing if self.spec else ""

    @property
    def takes_missing(self) -> bool:
        """Whether values may be missing (NaN), as far as this is known."""
        return self.missing != "error" and self.dtype != "uint8"

    @property
    def features(self) -> int | None:
        """The number of features of one time step of a sequence `[T, D]`; None for images."""
        return self.shape[1] if len(self.shape) == 2 else None

    def in_words(self) -> str:
        """Returns the shape as messages show it, such as `[N, T, 3]`."""
        return batch_in_words(self.shape)
