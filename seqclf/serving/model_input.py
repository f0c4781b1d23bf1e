"""`ModelInput`: what a model takes, whether it is a folder on this machine or on a server."""

from dataclasses import dataclass

from seqclf.data.spec import DatasetSpec
from seqclf.serving.input_range import InputRange

ARRAYS, IMAGES = "serving_default", "serving_bytes"  # the signatures that predictions ask


@dataclass(frozen=True)
class ModelInput:
    """What a model takes.

    Attributes:
        dtype: dtype of the raw values, `uint8` or `float32`.
        shape: shape of one raw example; None for a dimension of any size.
        variable_length: whether each example comes with its length.
        reads_images: whether the model decodes image files itself.
        spec: spec of the training data; None if it is not known, which it is not of a served model.
        input_range: range of the training inputs; None if it is not known.
    """

    dtype: str
    shape: tuple[int | None, ...]
    variable_length: bool
    reads_images: bool
    spec: DatasetSpec | None = None
    input_range: InputRange | None = None

    @property
    def missing(self) -> str:
        """What the model does with missing values, as `data.missing` names it; "": not known."""
        return self.spec.missing if self.spec else ""

    @property
    def features(self) -> int | None:
        """The number of features of one time step of a sequence `[T, D]`; None for images."""
        return self.shape[1] if len(self.shape) == 2 else None

    def in_words(self) -> str:
        """Returns the shape as messages show it, such as `[N, T, 3]`."""
        sizes = ("T" if size is None else size for size in self.shape)
        return f"[{', '.join(map(str, ('N', *sizes)))}]"
