"""A few test examples as files, with which a user can try a trained model at once."""

from pathlib import Path

import numpy as np
from PIL import Image

from seqclf.data.dataset import Dataset
from seqclf.storage.files import replacing, write_npz
from seqclf.storage.run_directory import Run

COUNT = 3


def write_samples(run: Run, dataset: Dataset) -> list[Path]:
    """Writes the first test examples to `RUN/samples` and returns the paths of the files.

    Images become `<class>-<index>.png`; other examples become one file, `samples.npz`.
    """
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
    return [file]
