"""The signatures of an export: the inputs that requests may have, and the outputs.

Each signature checks its inputs, because TensorFlow Serving checks neither shapes nor ranges. All
share one graph of the classifier, of TensorFlow operations that need neither XLA nor a GPU.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow import Tensor

from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.data.step_labels import NO_LABEL
from seqclf.layers.compiled import compiled
from seqclf.layers.execution import execution
from seqclf.models.classifier import trace_classifier, traceable
from seqclf.serving.csv_sequences import parse_csv
from seqclf.serving.decision import Threshold
from seqclf.serving.graph_assertions import require
from seqclf.serving.image_decoding import decode_images

# Unrolled steps answer a single request in two thirds of a loop's time, with 14 operations a step
# and layer: a graph of 784 steps would take longer to load than it ever saves.
MAX_UNROLLED_STEPS = 128


class ExportSignatures:
    """The signatures of one classifier.

    Args:
        model: the classifier; it gives logits.
        spec: spec of the data.
        input_dtype: dtype of the raw values in `serving_default` and `trace`, `uint8` or `float32`.
        threshold: the threshold of a class; None: the most probable class is answered.

    Attributes:
        all: name → (function, TensorSpecs of its inputs), in the order of the documentation.
    """

    def __init__(
        self,
        model: keras.Model,
        spec: DatasetSpec,
        input_dtype: str,
        threshold: Threshold | None = None,
    ):
        self._model = model
        self._threshold = threshold
        self._spec = spec
        self._shape = (None, *spec.input_shape)
        raw = [tf.TensorSpec(self._shape, input_dtype, name="inputs")]
        if spec.variable_length:
            raw.append(tf.TensorSpec([None], tf.int32, name="lengths"))
        steps = None if spec.variable_length else spec.time_steps
        sequences = [tf.TensorSpec([None, steps, spec.features])]
        sequences += raw[1:]
        # One graph for all signatures: a copy in each would make the file several times as large.
        self._logits = compiled(self._classify, input_signature=sequences)
        self._steps = compiled(self._classify_steps, input_signature=sequences)
        self.all: dict[str, tuple[Callable[..., Any], list[tf.TensorSpec]]] = {
            "serving_default": (self.predict, raw)
        }
        images = [tf.TensorSpec([None], tf.string, name="image_bytes")]
        if spec.fits_image_file:
            self.all["serving_bytes"] = (self.predict_images, images)
        if spec.variable_length:
            text = [tf.TensorSpec([None], tf.string, name="csv")]
            self.all["serving_csv"] = (self.predict_csv, text)
        if not spec.per_step:  # the Classify API has one answer for each example
            example = [tf.TensorSpec([None], tf.string, name="inputs")]
            self.all["classify"] = (self.classify, example)
        if traceable(model):
            self.all["trace"] = (self.trace, raw)
            self.all["trace_gates"] = (self.trace_gates, raw)
            if spec.fits_image_file:
                self.all["trace_bytes"] = (self.trace_images, images)

    def predict(self, inputs: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """Classifies raw examples.

        Args:
            inputs: `[B, *raw_shape]`.
            lengths: int32 `[B]`, 1 to T, where lengths vary.

        Returns:
            `probabilities` float32 `[B, C]`, `class_index` int32 `[B]`, `class_name` string `[B]`.
            Of a model that classifies time steps `[B, T, C]`, `[B, T]` and `[B, T]`; behind the end
            of a sequence they are 0, -1 and "".
        """
        return self._outputs(*self._sequences(inputs, lengths))

    def predict_images(self, image_bytes: Tensor) -> dict[str, Tensor]:
        """Classifies image files, which `decode_images` converts to raw examples.

        Args:
            image_bytes: string `[B]`, the contents of PNG or JPEG files.

        Returns:
            The outputs of `predict`.
        """
        return self._outputs(*self._sequences(decode_images(image_bytes, self._spec), None))

    def predict_csv(self, csv: Tensor) -> dict[str, Tensor]:
        """Classifies sequences that are CSV text, whose lines tell their lengths.

        Args:
            csv: string `[B]`, see `parse_csv`.

        Returns:
            The outputs of `predict`.
        """
        x, lengths = parse_csv(csv, self._spec)
        return self._outputs(*self._sequences(self._in_range(x, "`csv`"), lengths))

    def classify(self, inputs: Tensor) -> dict[str, Tensor]:
        """Classifies serialized `tf.Example` messages, which the Classify API sends.

        Args:
            inputs: string `[B]`. The feature `inputs` of each message holds the values of a raw
                example in row-major order: int64 from 0 to 255 for uint8 data, float for float
                data. Where lengths vary, it holds as many time steps as the example has.

        Returns:
            `classes` string `[B, C]`, the class names, and `scores` float32 `[B, C]`, their
            probabilities.
        """
        sequences, lengths = self._parse(inputs)
        names = tf.constant(self._spec.class_names)[None]  # [1, C]
        scores = tf.nn.softmax(self._logits(sequences, *lengths))
        return {"classes": tf.repeat(names, tf.shape(scores)[0], axis=0), "scores": scores}

    def trace(self, inputs: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """Classifies each example at each of its time steps.

        Returns:
            `step_probabilities` float32 `[B, T, C]`: the probabilities if the sequence ended at
            that time step.
        """
        outputs = self._traced(inputs, lengths)
        return {"step_probabilities": outputs["step_probabilities"]}

    def trace_gates(self, inputs: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """Classifies each example at each of its time steps and returns all states and gates.

        Returns:
            `step_probabilities`, and the states and gates of each layer i, from 1: `state_i` and,
            for a GRU, `update_gate_i` and `reset_gate_i`, float32 `[B, T, H_i]` each.
        """
        return self._traced(inputs, lengths)

    def trace_images(self, image_bytes: Tensor) -> dict[str, Tensor]:
        """Does what `trace_gates` does, for image files.

        Args:
            image_bytes: string `[B]`, the contents of PNG or JPEG files.

        Returns:
            The outputs of `trace_gates`.
        """
        return self._traced(decode_images(image_bytes, self._spec), None)

    def _traced(self, inputs: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        sequences, rest = self._sequences(inputs, lengths)
        outputs: dict[str, Tensor] = self._steps(sequences, *rest)
        return outputs

    def _sequences(self, inputs: Tensor, lengths: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """Returns checked sequences `[B, T, D]`, and a list that holds lengths `[B]` if any."""
        inputs = tf.ensure_shape(inputs, self._shape)  # otherwise 56 rows would be read as 28
        if lengths is not None:
            lengths = tf.ensure_shape(lengths, [None])
            steps, batch = tf.shape(inputs)[1], tf.shape(inputs)[0]
            lengths = require(
                lengths,
                tf.equal(tf.shape(lengths)[0], batch),
                "lengths must have one number for each of the inputs; shapes received:",
                tf.shape(lengths),
                tf.shape(inputs),
            )
            lengths = require(
                lengths,
                tf.reduce_all((lengths >= 1) & (lengths <= steps)),
                "lengths must lie in 1 to the number of steps; steps, lengths received:",
                steps,
                lengths,
            )
        return self._finite(inputs, lengths), [] if lengths is None else [lengths]

    def _finite(self, inputs: Tensor, lengths: Tensor | None) -> Tensor:
        """Returns the sequences with zeros as their padding, after a check that they are finite.

        Missing values are replaced before, if the model takes them.
        """
        sequences = as_sequences(inputs, self._spec, lengths)
        if not inputs.dtype.is_floating:
            return sequences
        message = "inputs must be finite numbers."
        if self._spec.raw_dtype != "uint8":
            message += (
                " This model was trained with `data.missing` 'error', so it takes no missing "
                "values (NaN)."
                if self._spec.missing == "error"
                else " Only missing values (NaN) may be left out."
            )
        return tf.debugging.check_numerics(sequences, message)

    def _parse(self, inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Returns the same as `_sequences`, from serialized `tf.Example` messages, string `[B]`."""
        spec = self._spec
        dtype = tf.int64 if spec.raw_dtype == "uint8" else tf.float32
        if not spec.variable_length:
            size = int(tf.TensorShape(spec.raw_shape).num_elements())
            feature = {"inputs": tf.io.FixedLenFeature([size], dtype)}
            x = tf.io.parse_example(inputs, feature)["inputs"]
            x = tf.reshape(x, [-1, *spec.raw_shape])
            return self._sequences(self._in_range(x, "the feature `inputs`"), None)
        ragged = tf.io.parse_example(inputs, {"inputs": tf.io.RaggedFeature(dtype)})["inputs"]
        width = int(tf.TensorShape(spec.raw_shape[1:]).num_elements())
        numbers = tf.cast(ragged.row_lengths(), tf.int32)  # [B]
        numbers = require(
            numbers,
            tf.reduce_all((numbers > 0) & tf.equal(numbers % width, 0)),
            f"the feature `inputs` must hold steps of {width} numbers; numbers received:",
            numbers,
        )
        lengths = numbers // width
        longest = tf.maximum(tf.reduce_max(lengths), 1)
        x = ragged.to_tensor(shape=[None, None])  # [B, longest · width]
        x = tf.reshape(x, [-1, longest, *spec.raw_shape[1:]])
        return self._sequences(self._in_range(x, "the feature `inputs`"), lengths)

    def _in_range(self, x: Tensor, name: str) -> Tensor:
        if self._spec.raw_dtype != "uint8":
            return x
        in_range = require(
            x,
            tf.reduce_all((x >= 0) & (x <= 255)),
            f"{name} must lie in 0 to 255; range received:",
            tf.reduce_min(x),
            tf.reduce_max(x),
        )
        return tf.cast(in_range, tf.uint8)

    def _outputs(self, sequences: Tensor, lengths: list[Tensor]) -> dict[str, Tensor]:
        logits = self._logits(sequences, *lengths)
        probabilities = tf.nn.softmax(logits)  # [B, C], or [B, T, C]
        index = tf.argmax(logits, axis=-1, output_type=tf.int32)
        if self._threshold:
            chosen = self._threshold.class_index
            reached = probabilities[..., chosen] >= self._threshold.probability
            index = tf.where(reached, chosen, 1 - chosen)
        names = tf.gather(tf.constant(self._spec.class_names), index)
        if self._spec.per_step and lengths:
            valid = tf.sequence_mask(lengths[0], tf.shape(logits)[1])  # [B, T]
            probabilities = tf.where(valid[..., tf.newaxis], probabilities, 0.0)
            index, names = tf.where(valid, index, NO_LABEL), tf.where(valid, names, "")
        return {"probabilities": probabilities, "class_index": index, "class_name": names}

    def _classify(self, sequences: Tensor, lengths: Tensor | None = None) -> Tensor:
        inputs: Any = sequences
        if lengths is not None:
            inputs = {"sequences": sequences, "lengths": lengths}
        with self._plainly():
            # [B, C], or [B, T, C]
            return tf.cast(self._model(inputs, training=False), tf.float32)

    def _classify_steps(
        self, sequences: Tensor, lengths: Tensor | None = None
    ) -> dict[str, Tensor]:
        with self._plainly():
            logits, traces = trace_classifier(self._model, sequences, lengths)
        outputs = {"step_probabilities": tf.nn.softmax(tf.cast(logits, tf.float32))}
        for i, layer in enumerate(traces, start=1):
            for name, values in (layer.states | layer.gates).items():
                outputs[f"{name}_{i}"] = tf.cast(values, tf.float32)
        return outputs

    def _plainly(self) -> Any:
        """Returns a context for graphs without XLA and cuDNN, which a server may not have."""
        unroll = not self._spec.variable_length and self._spec.time_steps <= MAX_UNROLLED_STEPS
        return execution(xla="off", unroll=unroll, shares=1, cudnn=False, gradient=False)
