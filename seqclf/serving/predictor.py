"""`Predictor`: an exported model loaded with TensorFlow alone, and the files that it can read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps, UnidentifiedImageError

from seqclf.data.dataset import DatasetSpec
from seqclf.data.npz import load_npz
from seqclf.errors import DataError, ExportError
from seqclf.serving.export import METADATA, versions

BATCH_SIZE = 256


@dataclass(frozen=True)
class Answer:
    """What the model says of one example.

    Attributes:
        source: the file, with the index of the example in an `.npz`.
        class_index, class_name: the most probable class.
        probabilities: float32 `[C]`.
    """

    source: str
    class_index: int
    class_name: str
    probabilities: np.ndarray


class Predictor:
    """The newest version of an export, or one version of it.

    Args:
        model: `EXPORT_DIR` or `EXPORT_DIR/<version>`.

    Attributes:
        path: the version's folder.
        spec: of the data that it was trained on.

    Raises:
        ExportError: there is no export of seqclf's in that folder, or it is damaged.
    """

    def __init__(self, model: str | Path):
        self.path = _version_folder(Path(model).expanduser())
        try:
            metadata = json.loads((self.path / METADATA).read_text())
            self.spec = DatasetSpec.from_json(json.dumps(metadata["spec"]))
            self._loaded = tf.saved_model.load(str(self.path))  # keeps the variables alive
            self._signature = self._loaded.signatures["serving_default"]
        except (OSError, ValueError, KeyError, TypeError, tf.errors.OpError) as error:
            raise ExportError(
                f"{self.path} cannot be loaded as an export of seqclf: {error}"
            ) from error

    def predict(
        self, x: np.ndarray, lengths: np.ndarray | None, sources: list[str]
    ) -> list[Answer]:
        """Classifies raw examples.

        Args:
            x: `[N, *raw_shape]`, raw values.
            lengths: `[N]`, where the model was trained on varying lengths.
            sources: N names for the answers.
        """
        names = self.spec.class_names
        dtype = self._signature.structured_input_signature[1]["inputs"].dtype
        answers = []
        for start in range(0, len(x), BATCH_SIZE):
            part = slice(start, start + BATCH_SIZE)
            inputs = {"inputs": tf.cast(tf.constant(x[part]), dtype)}
            if lengths is not None:
                inputs["lengths"] = tf.constant(lengths[part], tf.int32)
            outputs = {name: value.numpy() for name, value in self._signature(**inputs).items()}
            for source, index, row in zip(
                sources[part], outputs["class_index"], outputs["probabilities"], strict=True
            ):
                answers.append(Answer(source, int(index), names[index], row))
        return answers

    def predict_file(self, path: str, invert: bool = False) -> list[Answer]:
        """Classifies a PNG or JPEG picture, or each example of an `.npz` file.

        Args:
            path: the file.
            invert: turn a picture's dark to bright first.

        Raises:
            DataError: the file is missing, damaged, or does not fit the model.
        """
        if path.endswith(".npz"):
            x, lengths = self._read_npz(path)
            return self.predict(x, lengths, [f"{path}[{i}]" for i in range(len(x))])
        return self.predict(self.read_image(path, invert)[np.newaxis], None, [path])

    def read_image(self, path: str, invert: bool = False) -> np.ndarray:
        """Returns a picture as the model's raw example: uint8 `[H, W]` or `[H, W, C]`.

        The picture is turned as its EXIF data says, laid on white where it is transparent,
        converted to grey or RGB and resized (squeezed, if its proportions differ).
        """
        spec = self.spec
        if spec.raw_dtype != "uint8" or spec.variable_length:
            raise DataError(
                f"{path}: this model reads sequences of {spec.features} float features, not "
                "pictures: give an .npz file with `x`."
            )
        height, width = spec.raw_shape[:2]
        try:
            with Image.open(path) as image:
                picture = _flattened(ImageOps.exif_transpose(image))
                picture = picture.convert("RGB" if len(spec.raw_shape) == 3 else "L")
                picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        except FileNotFoundError as error:
            raise DataError(f"{path}: no such file.") from error
        except (
            UnidentifiedImageError,
            OSError,
            SyntaxError,
            Image.DecompressionBombError,
        ) as error:
            raise DataError(f"{path}: not a readable PNG or JPEG picture ({error}).") from error
        pixels = np.asarray(picture, np.float32)
        if invert:
            pixels = 255 - pixels
        return np.round(pixels * (spec.full_scale / 255)).astype(np.uint8)

    def polarity_hint(self, path: str, invert: bool) -> str:
        """Returns a warning when a picture's border is bright where the training's was dark."""
        border = self.read_image(path, invert).astype(float) / self.spec.full_scale
        edge = np.concatenate([border[0], border[-1], border[:, 0], border[:, -1]]).mean()
        if self.spec.background < 0.25 and edge > 0.6:
            return (
                f"{path}: its border is bright, while the model was trained on bright strokes on a "
                "dark ground. If it shows dark strokes on paper, add --invert."
            )
        return ""

    def _read_npz(self, path: str) -> tuple[np.ndarray, np.ndarray | None]:
        arrays = load_npz(path, labelled=False)
        spec = self.spec
        free = spec.raw_shape[1:] if spec.variable_length else spec.raw_shape
        shape = arrays.x.shape[-len(free) :] if arrays.x.ndim == 1 + len(spec.raw_shape) else ()
        if shape != tuple(free) or not len(arrays.x):
            wanted = ["N", *(["T"] if spec.variable_length else []), *free]
            raise DataError(
                f"{path}: `x` must be of shape [{', '.join(map(str, wanted))}] for this model. "
                f"Received: {list(arrays.x.shape)}"
            )
        if arrays.x.dtype.kind not in "biuf" or (
            spec.raw_dtype == "uint8" and arrays.x.dtype != np.uint8
        ):
            raise DataError(
                f"{path}: `x` must be {spec.raw_dtype} for this model. "
                f"Received: dtype {arrays.x.dtype}"
            )
        if not spec.variable_length:
            return arrays.x, None
        lengths = arrays.lengths
        if lengths is None:
            lengths = np.full(len(arrays.x), arrays.x.shape[1], np.int32)
        if lengths.shape != (len(arrays.x),) or lengths.dtype.kind not in "iu":
            raise DataError(f"{path}: `lengths` must be integers of shape [{len(arrays.x)}].")
        if lengths.min() < 1 or lengths.max() > arrays.x.shape[1]:
            bad = int(np.argmax((lengths < 1) | (lengths > arrays.x.shape[1])))
            raise DataError(
                f"{path}: `lengths` must lie in 1..{arrays.x.shape[1]}. "
                f"Received: {lengths[bad]} at example {bad}"
            )
        return arrays.x, lengths


def runners_up(answer: Answer, names: tuple[str, ...], count: int) -> list[tuple[str, float]]:
    """Returns the `count` most probable classes after the first, with their probabilities."""
    order: Any = np.argsort(-answer.probabilities, kind="stable")
    others = [index for index in order if index != answer.class_index]
    return [(names[i], float(answer.probabilities[i])) for i in others[:count]]


def _version_folder(model: Path) -> Path:
    if (model / "saved_model.pb").is_file():
        return model
    numbers = versions(model)
    if not numbers:
        raise ExportError(
            f"{model}: no exported model there. --model takes EXPORT_DIR or EXPORT_DIR/<version>, "
            "as python -m seqclf.export writes it."
        )
    return next(
        entry
        for entry in model.iterdir()
        if entry.name.isdecimal() and int(entry.name) == numbers[-1]
    )


def _flattened(image: Image.Image) -> Image.Image:
    """Returns a picture without transparency, of 8 bits per channel."""
    if image.mode.startswith("I"):  # 16-bit grey: Pillow would clip it, not scale it
        return Image.fromarray((np.asarray(image, np.float32) / 257).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image)
    return image
