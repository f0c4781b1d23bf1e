"""The groups of the config: data, augmentation, model and optimiser."""

from dataclasses import dataclass
from typing import ClassVar

from seqclf.config.settings import Group, setting
from seqclf.errors import ConfigError

MAX_TIME_STEPS = 1_000_000
MAX_VOCABULARY = 50_000  # a logit for each token at each time step must fit in memory


@dataclass(frozen=True, kw_only=True)
class DataConfig(Group):
    """Which examples are read, how they become sequences, and how they are split."""

    prefix: ClassVar[str] = "data."

    source: str = setting(
        "mnist",
        "digits | a tensorflow-datasets name (mnist, ...) | csv:FILE | parquet:FILE | folder:DIR | "
        "ts:TRAIN,TEST | tsv:TRAIN,TEST | npz:FILE | idx:DIR | tfrecord:GLOB | text:FILE",
    )
    form: str = setting(
        "auto",
        "table: long has one row per time step, wide one row per sequence; auto: what the columns "
        "allow, if they allow one only",
        choices=("auto", "long", "wide"),
    )
    id: str = setting("", "table: column that tells which sequence a row belongs to")
    time: str = setting("", "table: column by which the rows of a sequence are sorted")
    features: str = setting(
        "", "table: the columns that the model reads, separated by commas; empty: all other numbers"
    )
    label: str = setting("", "table: column with the class")
    label_per_step: bool = setting(
        False,
        "table in the long form: each row has a label of its own, and the model classifies each "
        "time step; an empty label: that row does not count",
    )
    group: str = setting(
        "", "table: column with the group (machine, person, ...) of a sequence, for `split_by`"
    )
    split: str = setting(
        "", "table: column that says which split a sequence belongs to (train, validation, test)"
    )
    weight: str = setting(
        "", "table: column with how much a sequence counts in the loss of the training"
    )
    separator: str = setting(",", "CSV: the character between two values; tab for a tabulator")
    decimal: str = setting(".", "CSV: the decimal mark", choices=(".", ","))
    labels: str = setting(
        "", "folder: CSV file with the columns file and label, where no sub-folder gives the class"
    )
    split_by: str = setting(
        "class",
        "random splits keep the proportions of the classes (class), or put no group into two "
        "splits (group)",
        choices=("class", "group"),
    )
    missing: str = setting(
        "error",
        "what is done with a missing value: interpolate in time, carry the last one forward, take "
        "the mean of the training split, or that with a feature that says so (indicator); error: "
        "refuse it",
        choices=("error", "interpolate", "forward", "mean", "indicator"),
    )
    window: int = setting(
        0,
        "cut each recording into windows of so many time steps; 0: a sequence is read as a whole, "
        "a text in windows of 35",
        low=0,
        high=MAX_TIME_STEPS,
    )
    stride: int = setting(
        0,
        "time steps between the beginnings of two windows; 0: `window`",
        low=0,
        high=MAX_TIME_STEPS,
    )
    window_label: str = setting(
        "majority",
        "the label of a window whose time steps have several: the most frequent, or the last",
        choices=("majority", "last"),
    )
    reading: str = setting(
        "rows",
        "how an image is read as a sequence: one row, one column or one pixel per step; permuted: "
        "one pixel per step, in an order that is drawn once",
        choices=("rows", "columns", "pixels", "permuted"),
    )
    permutation_seed: int = setting(
        0,
        "seed from which the order of the reading `permuted` is drawn; the run and the export keep "
        "the order itself",
        low=0,
        high=2**32 - 1,
    )
    normalize: str = setting(
        "auto",
        "unit: divide by full scale (255); standard: zero mean, unit deviation per feature over "
        "the training split; global: the same of all features together; sequence: zero mean, unit "
        "deviation per feature over each sequence by itself; auto: unit for uint8, standard for "
        "float; none",
        choices=("auto", "unit", "standard", "global", "sequence", "none"),
    )
    image_size: tuple[int, ...] = setting(
        (),
        "(height, width): resize images of a folder or a tensorflow-datasets source; () keeps them",
        low=1,
    )
    mnist_dir: str = setting(
        "", "folder with MNIST's four original .gz files; empty: $SEQCLF_MNIST_DIR"
    )
    tfds_dir: str = setting("", "tensorflow-datasets' folder; empty: its own default")
    validation: float = setting(
        0.1,
        "fraction of the training examples that is held out to validate on; 0: train on all of "
        "them and take the last weights",
        low=0,
        high=0.5,
    )
    test: float = setting(
        0.2,
        "fraction held out to test on, for sources that have no test split; 0 (in Python "
        "alone): none",
        low=0,
        high=0.5,
    )
    split_seed: int = setting(
        0,
        "seed of the random splits; it is not `seed`, so that all seeds share the splits",
        low=0,
        high=2**32 - 1,  # scikit-learn takes no more
    )
    shuffle_buffer: int = setting(
        10_000,
        "for a tfrecord source: examples held in memory to shuffle them; other sources shuffle all",
        low=1,
        high=10_000_000,
    )
    tokens: str = setting(
        "characters",
        "text: what a token is, one time step: a character, a byte, or a word",
        choices=("characters", "bytes", "words"),
    )
    letters_only: bool = setting(
        False, "text: lower case; all that is no letter of a to z is one space between words"
    )
    line_ends: str = setting(
        "keep",
        "text: keep line ends, or drop them and the white space beside them (the textbooks' "
        "reading, which joins the last word of a line to the first of the next)",
        choices=("keep", "drop"),
    )
    encoding: str = setting("utf-8", "text: the encoding of the files")
    max_tokens: int = setting(
        0, "text: train on the first so many tokens of the training part only; 0: on all", low=0
    )
    vocabulary: int = setting(
        0,
        "text: so many of the most frequent tokens, the unknown token among them, are told apart; "
        "0: all that the training part has",
        low=0,
        high=MAX_VOCABULARY,
    )
    windows: str = setting(
        "consecutive",
        "text: each batch goes on where the last one ended, and its state is carried on "
        "(consecutive), or a batch has windows from anywhere and begins from zero (random)",
        choices=("consecutive", "random"),
    )

    def check_together(self) -> None:
        if self.separator != "tab" and len(self.separator) != 1:
            raise ConfigError(
                f"`data.separator` must be one character, or tab. Received: {self.separator!r}"
            )
        if self.stride and not self.window:
            raise ConfigError(
                "`data.stride` needs `data.window`, the length of a window. "
                f"Received: {self.stride!r}"
            )
        if self.permutation_seed and self.reading != "permuted":
            raise ConfigError(
                "`data.permutation_seed` draws the order of the reading `permuted`: set "
                "`data.reading` to permuted, or leave it out. Received: "
                f"{self.permutation_seed!r} with {self.reading!r}"
            )
        self._check_label_per_step()
        if self.vocabulary == 1:
            raise ConfigError(
                "`data.vocabulary` counts the unknown token too: set it to 2 or more, or to 0 for "
                "all tokens. Received: 1"
            )
        if len(self.image_size) not in (0, 2):
            raise ConfigError(
                f"`data.image_size` must be () or (height, width). Received: {self.image_size!r}"
            )

    def _check_label_per_step(self) -> None:
        if not self.label_per_step:
            return
        if self.form == "wide":
            raise ConfigError(
                "`data.label_per_step` is for tables in the long form: in the wide form a row is a "
                "sequence, and has one label. Received: True with `data.form` 'wide'"
            )
        if self.window_label != "majority":
            raise ConfigError(
                "`data.window_label` chooses one label for a window, and with "
                "`data.label_per_step` each of its time steps keeps its own: leave it out. "
                f"Received: {self.window_label!r}"
            )


@dataclass(frozen=True, kw_only=True)
class AugmentConfig(Group):
    """How training images are distorted, each by its own random draw."""

    prefix: ClassVar[str] = "augment."

    shift: float = setting(
        0.0, "shift training images by up to this fraction of height and width", low=0, high=0.5
    )
    rotation: float = setting(0.0, "rotate them by up to so many degrees", low=0, high=180)
    scale: float = setting(
        0.0, "make them up to this fraction smaller or larger, each axis by itself", low=0, high=0.5
    )
    shear: float = setting(0.0, "slant them by up to so many degrees", low=0, high=45)
    elastic: float = setting(
        0.0,
        "displace each pixel smoothly; standard deviation as a fraction of height and width",
        low=0,
        high=0.2,
    )
    flip: bool = setting(False, "flip each image left to right with a chance of one half")


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Group):
    """The classifier: its cell, its layers, and what the head reads."""

    prefix: ClassVar[str] = "model."

    cell: str = setting(
        "gru",
        "recurrent cell: gated, long short-term memory, plain, minimal gated unit",
        choices=("gru", "lstm", "rnn", "mgu"),
    )
    units: tuple[int, ...] = setting(
        (128, 128), "width of each recurrent layer, first to last", low=1
    )
    embedding: int = setting(
        0, "text: width of the vector that stands for a token; 0: one-hot", low=0, high=4096
    )
    bidirectional: bool = setting(False, "read the sequence in both directions in every layer")
    dropout: float = setting(
        0.0,
        "fraction of each recurrent layer's outputs that is dropped before the next layer, and of "
        "the convolutions' before the head; for text the same units at all time steps",
        low=0,
        below=1,
    )
    embedding_dropout: float = setting(
        0.0,
        "text: fraction of the embedding's features that is dropped, the same at all time steps",
        low=0,
        below=1,
    )
    weight_drop: float = setting(
        0.0,
        "text: fraction of the recurrent kernels' weights that a training step does without, the "
        "same at all its time steps (DropConnect, Merity et al. 2018)",
        low=0,
        below=1,
    )
    pooling: str = setting(
        "last",
        "what the head reads: the last state, or the last state and the mean of all states",
        choices=("last", "mean"),
    )
    conv: tuple[int, ...] = setting(
        (),
        "filters of each convolution beside the recurrent layers, first to last, such as "
        "(128, 256, 128); their kernels have 8, 5, 3, 3, ... time steps, and the head also reads "
        "the mean of the last; (): none",
        low=1,
    )
    conv_dilation: int = setting(
        1,
        "d: the first convolution reads neighbouring time steps, the second every d-th, the third "
        "every d²-th, so that they see a longer stretch; 1: all read neighbours",
        low=1,
        high=16,
    )
    conv_pooling: str = setting(
        "mean",
        "what the head reads of the last convolution: each filter's mean over the time steps, or "
        "the mean and the largest value",
        choices=("mean", "max"),
    )
    layer_norm: bool = setting(False, "layer normalisation after each recurrent layer")
    time_reduction: tuple[int, ...] = setting(
        (),
        "one number for each layer but the last: the layer above reads one state of so many; () "
        "or 1: all",
        low=1,
        high=MAX_TIME_STEPS,
    )
    chrono: int = setting(
        0,
        "chrono initialisation: units start with memories of 2 to so many steps (the length of the "
        "sequences is usual); 0: all forget alike",
        low=0,
        high=MAX_TIME_STEPS,
    )
    reset_after: bool = setting(
        True,
        "gru: apply the reset gate after the recurrent product (cuDNN) or before (Cho et al. 2014)",
    )

    def check_together(self) -> None:
        if not self.units:
            raise ConfigError(
                "`model.units` must name at least one layer, such as [128]. Received: []"
            )
        self._check_time_reduction()
        self._check_chrono()
        if self.embedding_dropout and not self.embedding:
            raise ConfigError(
                "`model.embedding_dropout` is about the vectors of `model.embedding`, and there "
                f"are none: set it to 0. Received: {self.embedding_dropout!r}"
            )
        if self.conv_dilation > 1 and not self.conv:
            raise ConfigError(
                "`model.conv_dilation` is about the convolutions of `model.conv`, and there are "
                f"none: set it to 1. Received: {self.conv_dilation!r}"
            )
        if self.conv_pooling != "mean" and not self.conv:
            raise ConfigError(
                "`model.conv_pooling` is about the convolutions of `model.conv`, and there are "
                f"none: set it to 'mean'. Received: {self.conv_pooling!r}"
            )
        if not self.reset_after and self.cell != "gru":
            raise ConfigError(
                "`model.reset_after` is about the GRU's reset gate: leave it True for `model.cell` "
                f"{self.cell!r}. Received: False"
            )

    def _check_time_reduction(self) -> None:
        reductions, layers = self.time_reduction, len(self.units)
        if reductions and len(reductions) != layers - 1:
            raise ConfigError(
                "`model.time_reduction` must have one number for each layer but the last: "
                f"{layers - 1} for {layers} layers. Received: {list(reductions)}"
            )
        if max(reductions, default=1) > 1 and self.bidirectional:
            raise ConfigError(
                "`model.time_reduction` keeps the state at the end of a block, where a layer that "
                "reads in both directions has not read the block backwards: set "
                "`model.bidirectional` to False, or `model.time_reduction` to (). "
                f"Received: {list(reductions)}"
            )

    def _check_chrono(self) -> None:
        if self.chrono in (1, 2):
            raise ConfigError(
                f"`model.chrono` must be 0 (off) or more than 2 steps. Received: {self.chrono!r}"
            )
        if self.chrono and self.cell == "rnn":
            raise ConfigError(
                "`model.chrono` sets the gates that keep a state, and `model.cell` 'rnn' has none: "
                f"set `model.chrono` to 0, or take another cell. Received: {self.chrono!r}"
            )


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig(Group):
    """The optimiser: its algorithm, the learning rate over time, clipping and decay."""

    prefix: ClassVar[str] = "optimizer."

    name: str = setting("adam", "optimiser", choices=("adam", "adamw", "sgd"))
    learning_rate: float = setting(0.005, "learning rate; the peak of a schedule", above=0)
    schedule: str = setting(
        "cosine", "constant, or linear warm-up then cosine decay", choices=("constant", "cosine")
    )
    warmup_steps: int = setting(200, "steps of linear warm-up (schedule cosine)", low=0)
    final_learning_rate: float = setting(0.0, "where the cosine ends", low=0)
    weight_decay: float = setting(0.0, "decoupled weight decay (adamw only)", low=0)
    momentum: float = setting(0.9, "momentum (sgd only)", low=0, below=1)
    clip_norm: float = setting(1.0, "clip the gradient to this global norm; 0: off", low=0)

    def check_together(self) -> None:
        if self.weight_decay and self.name != "adamw":
            raise ConfigError(
                "`optimizer.weight_decay` needs `optimizer.name` 'adamw'. Received: "
                f"weight_decay={self.weight_decay!r} with {self.name!r}"
            )
        if self.final_learning_rate > self.learning_rate:
            raise ConfigError(
                "`optimizer.final_learning_rate` must not exceed `optimizer.learning_rate` "
                f"({self.learning_rate!r}). Received: {self.final_learning_rate!r}"
            )


GROUPS: dict[str, type[Group]] = {
    "data": DataConfig,
    "augment": AugmentConfig,
    "model": ModelConfig,
    "optimizer": OptimizerConfig,
}
