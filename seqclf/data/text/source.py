"""`load_text`: a text as the data of a language model."""

from collections import Counter

import numpy as np

from seqclf.config import DataConfig, refuse
from seqclf.config.groups import MAX_VOCABULARY
from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.text.files import read_text
from seqclf.data.text.split import TextSplit
from seqclf.data.text.token_spec import UNKNOWN, TokenSpec
from seqclf.data.text.tokenizer import stored_name, tokens_of
from seqclf.errors import DataError

WINDOW = 35  # time steps of a window where `data.window` does not say
CONTEXT = 256  # tokens that are read before a part of the text is scored
# Options that mean nothing for text, which are refused rather than left unread.
FOREIGN = (
    *("form", "id", "time", "features", "label", "group", "split", "separator", "decimal"),
    *("labels", "split_by", "missing", "stride", "window_label", "reading", "normalize"),
    *("permutation_seed", "image_size", "mnist_dir", "tfds_dir", "split_seed", "shuffle_buffer"),
)


def load_text(path: str, config: DataConfig) -> Dataset:
    """Reads a text, and divides it: the beginning is trained on, the rest validates and tests.

    The parts are contiguous, because windows from anywhere would overlap. The vocabulary is that of
    the training part, the most frequent token first, after `<unk>`, which stands for all others.

    Args:
        path: a file, a folder, paths separated by commas, or `timemachine`.
        config: the group `data` of a config.

    Returns:
        A dataset whose splits are of class `TextSplit`.

    Raises:
        ConfigError: an option cannot be used for text, or the encoding is not known.
        DataError: the text cannot be read, or is too short.
    """
    refuse(config, dict.fromkeys(FOREIGN, "it says how other data are read"), "text")
    text, origin = read_text(path, config.encoding)
    spec = TokenSpec(config.tokens, config.letters_only, config.line_ends == "drop")
    flat = tokens_of([text], spec).flat_values.numpy()
    window = config.window or WINDOW
    ends = _ends(len(flat), config)
    _check_long_enough(np.diff([0, *ends]), window, config, path)
    first = min(config.max_tokens or ends[0], ends[0])
    names, notes = _vocabulary(flat[: ends[0]], spec, config)
    number = {name: index for index, name in enumerate(names) if index}
    indices = np.array([number.get(stored_name(t, spec), 0) for t in flat], np.int32)
    notes += _unknown(indices, ends)
    if first < ends[0]:
        notes.append(f"trained on the first {first:,} of {ends[0]:,} tokens (`data.max_tokens`)")

    def part(begin: int, end: int) -> TextSplit:
        before = indices[max(0, begin - CONTEXT) : begin]
        return TextSplit(indices[begin:end], window, config.windows == "consecutive", before)

    return Dataset(
        spec=DatasetSpec(
            source=config.source,
            reading="rows",
            raw_shape=(window, 1),
            raw_dtype="int32",
            class_names=names,
            tokens=spec,
        ),
        train=part(0, first),
        validation=part(ends[0], ends[1]),
        test=part(ends[1], ends[2]),
        origin=f"{origin}: {len(flat):,} {spec.kind}",
        notes=tuple(notes),
        division=_division(ends),
    )


def _ends(count: int, config: DataConfig) -> tuple[int, int, int]:
    """Returns where training, validation and test part end, in tokens."""
    learnt = count - round(count * config.test)
    return learnt - round(learnt * config.validation), learnt, count


def _check_long_enough(sizes: np.ndarray, window: int, config: DataConfig, path: str) -> None:
    """Checks that each part has two windows.

    Raises:
        DataError: one has not.
    """
    kept = np.minimum(sizes, [config.max_tokens or sizes[0], sizes[1], sizes[2]])
    keys = ("max_tokens", "validation", "test")
    for name, size, key in zip(("training", "validation", "test"), kept, keys, strict=True):
        if size >= 2 * window or (key == "validation" and not config.validation):
            continue
        also = "" if key == "max_tokens" and size == sizes[0] else f", or a larger `data.{key}`"
        raise DataError(
            f"{path}: the {name} part must have two windows of {window:,} tokens at least. "
            f"Received: {size:,} of {sizes.sum():,} {config.tokens}. It takes a longer text, a "
            f"smaller `data.window`{also}."
        )


def _vocabulary(
    tokens: np.ndarray, spec: TokenSpec, config: DataConfig
) -> tuple[tuple[str, ...], list[str]]:
    """Returns the vocabulary of the training part, and notes about it.

    Raises:
        DataError: there are too many different tokens.
    """
    counts = Counter(tokens.tolist())
    ranked = sorted(counts, key=lambda token: (-counts[token], token))
    if not config.vocabulary and len(ranked) >= MAX_VOCABULARY:
        raise DataError(
            f"The training part has {len(ranked):,} different {spec.kind}, more than "
            f"{MAX_VOCABULARY:,} can be told apart: set `data.vocabulary`, the number of the most "
            "frequent ones that are."
        )
    known = ranked[: config.vocabulary - 1] if config.vocabulary else ranked
    names = (UNKNOWN, *(stored_name(token, spec) for token in known))
    left = len(ranked) - len(known)
    said = f"{left:,} rarer {spec.kind} are read as {UNKNOWN} (`data.vocabulary`)"
    return names, [said] if left else []


def _unknown(indices: np.ndarray, ends: tuple[int, int, int]) -> list[str]:
    """Returns a note about the tokens of validation and test part that the vocabulary lacks."""
    found = int((indices[ends[0] :] == 0).sum())
    if not found:
        return []
    share = found / max(1, ends[2] - ends[0])
    return [f"{found:,} tokens of the validation and test parts ({share:.2%}) are {UNKNOWN}"]


def _division(ends: tuple[int, int, int]) -> str:
    return (
        f"in the order of the text: the first {ends[0]:,} tokens train, the next "
        f"{ends[1] - ends[0]:,} validate, the last {ends[2] - ends[1]:,} test"
    )
