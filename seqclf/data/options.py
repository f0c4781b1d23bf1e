"""`DataOptions`: the options of `load_dataset` with their types, for type checkers and editors."""

from typing import TypedDict


class DataOptions(TypedDict, total=False):
    """The keys of `DataConfig` other than `source`; `docs/config.md` has what each means."""

    reading: str
    permutation_seed: int
    normalize: str
    form: str
    id: str
    time: str
    features: str
    label: str
    label_per_step: bool
    group: str
    split: str
    weight: str
    separator: str
    decimal: str
    labels: str
    split_by: str
    missing: str
    window: int
    stride: int
    window_label: str
    image_size: tuple[int, ...]
    mnist_dir: str
    tfds_dir: str
    validation: float
    test: float
    split_seed: int
    shuffle_buffer: int
    tokens: str
    letters_only: bool
    line_ends: str
    encoding: str
    max_tokens: int
    vocabulary: int
    windows: str
