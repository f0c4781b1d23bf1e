"""`DatasetSpec`: what a model and an export must know about the data; it needs no TensorFlow."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from seqclf.data.input_shape import Shape
from seqclf.data.table_layout import TableLayout
from seqclf.data.text.token_spec import TokenSpec

READINGS = ("rows", "columns", "pixels", "permuted")
MISSING = ("error", "interpolate", "forward", "mean", "indicator")
# Fields of versions after 0.1.
LATER_FIELDS = (
    *("feature_names", "missing", "fill", "table", "tokens", "per_step", "order", "own_scale"),
)


@dataclass(frozen=True)
class DatasetSpec:
    """The description of the data that a model and an export need: shapes, dtype, class names.

    Attributes:
        source: where the examples come from, as `data.source` names it.
        reading: how a raw example becomes a sequence: rows, columns, pixels, or permuted, pixels in
            another order.
        raw_shape: shape of one raw example, such as (28, 28) or (T, D).
        raw_dtype: "uint8" or "float32"; "int32" for text.
        class_names: name of each class, by index.
        variable_length: whether examples come with their own lengths.
        shift, scale: the normalisation `(x - shift) * scale`; one number, or one for each feature.
        full_scale: the largest raw value of uint8 examples: an image's white.
        feature_names: name of each raw feature; (): they have none.
        missing: what is done with a missing value (NaN), as `data.missing` names it.
        fill: for each raw feature its mean over the observed values of the training split, which
            stands for a missing value where nothing nearer is known; (): values cannot be missing.
        table: how the training table holds its sequences, for tables that are to be predicted;
            None: the examples come from no table.
        tokens: how a text becomes tokens; None: the examples are no text. The class names of a text
            are its vocabulary: the classes of a time step are the tokens that may come next.
        per_step: whether each time step has a label, and not the sequence as a whole.
        order: for the reading `permuted` the number of the pixel, counted row by row, that each
            time step reads; () for the other readings.
        own_scale: whether each sequence is brought to mean 0 and deviation 1 by itself, feature by
            feature; shift and scale are not used then.
        background: the mean raw value of the images' borders, as a fraction of full scale. With it
            a user who sends an image of the opposite polarity can be warned.
    """

    source: str
    reading: str
    raw_shape: tuple[int, ...]
    raw_dtype: str
    class_names: tuple[str, ...]
    variable_length: bool = False
    shift: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    full_scale: float = 255.0
    background: float = 0.0
    feature_names: tuple[str, ...] = ()
    missing: str = "error"
    fill: tuple[float, ...] = ()
    table: TableLayout | None = None
    tokens: TokenSpec | None = None
    per_step: bool = False
    order: tuple[int, ...] = ()
    own_scale: bool = False

    @property
    def time_steps(self) -> int:
        """T, the number of time steps of a sequence (of the longest one where lengths vary)."""
        height, width = self.raw_shape[:2]
        return {"rows": height, "columns": width}.get(self.reading, height * width)

    @property
    def features(self) -> int:
        """D, the number of features of one time step that the model reads."""
        return self.raw_features * (2 if self.missing == "indicator" else 1)

    @property
    def raw_features(self) -> int:
        """The number of features of one time step that a raw example has."""
        height, width, *rest = self.raw_shape
        channels = rest[0] if rest else 1
        return {"rows": width, "columns": height}.get(self.reading, 1) * channels

    @property
    def input_shape(self) -> Shape:
        """The shape of a raw example that a model takes; None for time steps, if lengths vary."""
        return (None, *self.raw_shape[1:]) if self.variable_length else self.raw_shape

    @property
    def is_image(self) -> bool:
        """Whether the examples are images: uint8, all of one shape."""
        return self.raw_dtype == "uint8" and not self.variable_length

    @property
    def is_text(self) -> bool:
        """Whether the examples are text: each time step is a token, whose successor is asked."""
        return self.tokens is not None

    @property
    def fits_image_file(self) -> bool:
        """Whether the examples are images that a PNG or JPEG file can hold: grey or RGB."""
        channels = self.raw_shape[2] if len(self.raw_shape) == 3 else 1
        return self.is_image and channels in (1, 3)

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def to_json(self) -> str:
        """Returns the spec as JSON, without the later fields where they have their defaults.

        So the digest of a dataset stays what earlier versions recorded.
        """
        fields = dataclasses.asdict(self)
        for field in dataclasses.fields(self):
            if field.name in LATER_FIELDS and getattr(self, field.name) == field.default:
                del fields[field.name]
        return json.dumps(fields, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "DatasetSpec":
        """Returns the spec that `to_json` wrote.

        Raises:
            ValueError: the text is not JSON, or a value is not what it must be.
            TypeError: a field is missing or unknown.
            AttributeError: the text is not a JSON object.
        """
        fields = json.loads(text).items()
        arguments: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields}
        if isinstance(arguments.get("table"), dict):
            arguments["table"] = TableLayout.from_dict(arguments["table"])
        if isinstance(arguments.get("tokens"), dict):
            arguments["tokens"] = TokenSpec.from_dict(arguments["tokens"])
        spec = cls(**arguments)
        if wrong := spec._wrong_fields():
            raise ValueError(f"{wrong[0]} cannot be {getattr(spec, wrong[0])!r:.80}")
        return spec

    def _wrong_fields(self) -> list[str]:
        """Returns the names of fields whose values are of a wrong type or out of range."""
        right = {
            "source": isinstance(self.source, str),
            "reading": self.reading in READINGS,
            "raw_shape": len(_all(self.raw_shape, int)) in (2, 3) and min(self.raw_shape) > 0,
            "raw_dtype": self.raw_dtype == "int32"
            if self.tokens
            else self.raw_dtype in ("uint8", "float32"),
            "class_names": len(_all(self.class_names, str)) > 0,
            "variable_length": isinstance(self.variable_length, bool),
            "shift": len(_all(self.shift, int, float)) > 0,
            "scale": len(_all(self.scale, int, float)) > 0,
            "full_scale": len(_all((self.full_scale,), int, float)) > 0 and self.full_scale > 0,
            "background": len(_all((self.background,), int, float)) > 0,
            "feature_names": self.feature_names == _all(self.feature_names, str),
            "missing": self.missing in MISSING,
            "fill": self.fill == _all(self.fill, int, float),
            "tokens": self.tokens is None or isinstance(self.tokens, TokenSpec),
            "table": self.table is None or isinstance(self.table, TableLayout),
            "per_step": isinstance(self.per_step, bool),
            "order": self._is_right_order(),
            "own_scale": isinstance(self.own_scale, bool),
        }
        return [name for name, is_right in right.items() if not is_right]

    def _is_right_order(self) -> bool:
        """Returns whether `order` names each pixel once, or is empty where it is not used."""
        if self.reading != "permuted":
            return self.order == ()
        return sorted(_all(self.order, int)) == list(range(self.time_steps))


def _all(values: Any, *types: type) -> tuple[Any, ...]:
    """Returns a tuple if all its elements are of these types; otherwise an empty one."""
    if not isinstance(values, tuple):
        return ()
    ours = all(isinstance(value, types) and not isinstance(value, bool) for value in values)
    return values if ours else ()
