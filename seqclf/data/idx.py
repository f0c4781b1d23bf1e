"""MNIST's own file format: `idx`, big-endian arrays with a small header, gzipped or not.

Format: LeCun et al., "The MNIST database of handwritten digits": two zero bytes, a type code
(8: unsigned byte), the number of dimensions, each size as a 4-byte integer, then the data.
"""

import gzip
import zlib
from pathlib import Path

import numpy as np

from seqclf.errors import DataError

FILES = {  # split -> (images, labels), without the ending
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def load_idx(folder: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Reads the four classic files of a folder.

    Args:
        folder: a folder that holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
            `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each as it is or as `.gz`. Names
            such as `train-images.idx3-ubyte`, which some mirrors use, are found too.

    Returns:
        `{"train": (images, labels), "test": (images, labels)}`: uint8 `[N, H, W]` and `[N]`.

    Raises:
        DataError: a file is missing, truncated, or of another format than its name says.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"idx:{folder}: no such folder.")
    return {
        split: (_read_idx(_find(root, images), ndim=3), _read_idx(_find(root, labels), ndim=1))
        for split, (images, labels) in FILES.items()
    }


def _find(root: Path, name: str) -> Path:
    names = [name, name.replace("-idx", ".idx")]
    for candidate in [root / (n + ending) for n in names for ending in ("", ".gz")]:
        if candidate.is_file():
            return candidate
    raise DataError(
        f"{root / name}: no such file (nor .gz). The folder must hold "
        f"{', '.join(n for pair in FILES.values() for n in pair)}, gzipped or not."
    )


def _read_idx(path: Path, ndim: int) -> np.ndarray:
    """Returns the array of a file, which must have `ndim` dimensions."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: truncated or not a gzip file ({error}).") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error
    header = 4 + 4 * ndim
    expected = bytes([0, 0, 8, ndim])
    if content[:4] != expected:
        raise DataError(
            f"{path}: not an idx file of {ndim}-dimensional unsigned bytes. It must start with "
            f"the bytes {expected.hex(' ')}. Received: {content[:4].hex(' ') or 'nothing'}"
        )
    shape = np.frombuffer(content[4:header], ">u4").astype(int) if len(content) >= header else [0]
    size = int(np.prod(shape))
    if len(content) != header + size or size == 0:
        raise DataError(
            f"{path}: its header promises {size:,} bytes of data for shape {list(map(int, shape))}."
            f" Received: {max(len(content) - header, 0):,} bytes (truncated, or of another kind)"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
