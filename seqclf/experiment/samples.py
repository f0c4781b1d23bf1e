"""A few test examples as files, with which a user can try a trained model at once."""

from pathlib import Path

import numpy as np
from PIL import Image

from seqclf.data.dataset import Dataset
from seqclf.data.text.split import TextSplit
from seqclf.experiment.sample_tables import write_sample_table
from seqclf.serving.file_names import SAMPLE
from seqclf.storage.files import replacing, write_npz, write_text
from seqclf.storage.run_directory import Run

COUNT = 3
TEXT_TOKENS = 300  # of the text of a language model


def write_samples(run: Run, dataset: Dataset) -> list[Path]:
    """Writes the first test examples to `RUN/samples` and returns the paths of the files.

    Of a text it is the beginning of the test part, `text.txt`. Images become
    `<class>-<index>.png`; other examples become one file, `samples.npz`, and a table `samples.csv`
    as well if they come from a table.
    """
    if dataset.spec.is_text:
        return [_write_text(run, dataset)]
    spec, test = dataset.spec, dataset.test.take(np.arange(min(COUNT, len(dataset.test))))
    if spec.fits_image_file:
        files = []
        for i, (x, y) in enumerate(zip(test.x, test.y, strict=True)):
            name = "".join(c if c.isalnum() else "_" for c in spec.class_names[y])
            files.append(run.samples / f"{name}-{i}.png")
            pixels = np.round(x * (255 / spec.full_scale)).astype(np.uint8)
            with replacing(files[-1]) as temporary:
                Image.fromarray(pixels).save(temporary)
        return files
    file = run.samples / "samples.npz"
    arrays = {"x": test.x} if test.lengths is None else {"x": test.x, "lengths": test.lengths}
    write_npz(file, arrays)
    if spec.table is None:
        return [file]
    table = run.samples / "samples.csv"
    write_sample_table(table, test, spec.table)
    return [table, file]


def _write_text(run: Run, dataset: Dataset) -> Path:
    """Writes the beginning of the test part of a text, without its unknown tokens."""
    spec = dataset.spec
    assert isinstance(dataset.test, TextSplit) and spec.tokens
    names = [spec.class_names[token] for token in dataset.test.tokens[:TEXT_TOKENS] if token]
    text = spec.tokens.separator.join(names)
    if spec.tokens.kind == "bytes":
        text = text.encode("latin-1").decode("utf-8", errors="ignore")
    file = run.samples / SAMPLE
    write_text(file, text)
    return file


def samples_for_inspection(run: Run) -> list[Path]:
    """Returns the files of a run's samples that hold arrays or images."""
    return [path for path in sorted(run.samples.glob("*")) if path.suffix != ".csv"]
