"""A program that runs a SavedModel as TensorFlow Serving does: `probe.py FOLDER`.

It calls TensorFlow's C API and never imports TensorFlow for Python. A Python process would have
things that a server lacks: Python functions, XLA switched on, operations of its own. `run_probe`
starts the program.

FOLDER holds `job.npz`. The program writes `start.npz`, `load.npz`, and `0.npz`, `1.npz`, ... for
the calls, each as soon as its content is known: if the program dies, the first missing file shows
which step killed it.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.serving.c_api import Failure, Runtime
from seqclf.serving.c_tensors import Tensor


def save(path: Path, record: dict[str, Any], tensors: dict[str, Tensor] | None = None) -> None:
    """Writes a record and named tensors; the file appears whole or not at all."""
    tensors = tensors or {}
    arrays = {str(i): np.frombuffer(t.data, np.uint8) for i, t in enumerate(tensors.values())}
    heads = [(key, t.kind, t.shape, t.lengths) for key, t in tensors.items()]
    text = json.dumps({"record": record, "tensors": heads}).encode()
    unfinished = path.with_suffix(".part")
    with open(unfinished, "wb") as file:
        np.savez(file, json=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]
    os.replace(unfinished, path)


def load(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Reads the record and the tensors that `save` has written."""
    with np.load(path, allow_pickle=False) as file:
        content = json.loads(file["json"].tobytes())
        tensors = {
            key: Tensor(kind, tuple(shape), file[str(i)].tobytes(), tuple(lengths))
            for i, (key, kind, shape, lengths) in enumerate(content["tensors"])
        }
    return content["record"], tensors


def main(folder: Path) -> None:
    """Runs the job that is described in `folder/job.npz` and writes the results beside it."""
    job, feeds = load(folder / "job.npz")
    runtime = Runtime(job["runtime"], isolated=True)
    lists = {"": runtime.operations(), **{op: runtime.kernels(op) for op in job["operations"]}}
    save(
        folder / "start.npz",
        {"version": runtime.version, "without_xla": runtime.without_xla},
        {name: Tensor(0, (), content) for name, content in lists.items()},
    )
    try:
        runtime.load(job["model"], job["tag"])
    except Failure as error:
        save(folder / "load.npz", {"code": error.code, "message": str(error)})
        return
    save(folder / "load.npz", {"code": 0, "message": ""})
    for i, call in enumerate(job["calls"]):
        values = {name: feeds[f"{i} {name}"] for name in call["feeds"]}
        try:
            outputs = runtime.run(values, call["fetches"])
        except Failure as error:
            save(folder / f"{i}.npz", {"code": error.code, "message": str(error), "shapes": []})
            continue
        kept = dict(zip(call["fetches"], outputs, strict=True)) if call["values"] else {}
        shapes = [output.shape for output in outputs]
        save(folder / f"{i}.npz", {"code": 0, "message": "", "shapes": shapes}, kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
