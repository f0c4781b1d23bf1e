"""A model that runs when it is told to, and a function that lets requests wait for it."""

import asyncio
import threading

import numpy as np

from seqclf.serving.server.batcher import Batcher
from seqclf.serving.server.fault import invalid


class SlowModel:
    """Stands for a `ServedModel`: doubles `x` and refuses NaN, once `gate` is open.

    Args:
        gather: what is done to the output of a batch.
        batching: the version's rules for requests that share a batch.

    Attributes:
        batches: the inputs of all runs.
        gate: an event; runs wait for it.
    """

    def __init__(self, gather=lambda y: y, batching=None):
        self.batching = batching
        self.batches = []
        self.gate = threading.Event()
        self._gather = gather

    @property
    def sizes(self):
        return [len(x) for x in self.batches]

    def check_inputs(self, signature, inputs):
        return len(inputs["x"])

    def tensor_name(self, signature, name):
        return f"{signature}_{name}:0"

    def run(self, signature, inputs):
        self.gate.wait(20)
        self.batches.append(inputs["x"])
        if np.isnan(inputs["x"]).any():
            raise invalid("NaN")
        return {"y": self._gather(inputs["x"] * 2)}


def batched(model, *values, **options):
    """Runs a first request, which holds the only thread, then all values at the same time.

    Returns:
        The outputs, or the errors, of the values.
    """

    async def run():
        queue = Batcher(threads=1, **options)
        try:
            tasks = [asyncio.ensure_future(queue.run(model, "s", {"x": np.zeros(1)}))]
            await asyncio.sleep(0)
            for value in values:
                tasks.append(asyncio.ensure_future(queue.run(model, "s", {"x": np.array(value)})))
            await asyncio.sleep(0.05)
            model.gate.set()
            return (await asyncio.gather(*tasks, return_exceptions=True))[1:]
        finally:
            model.gate.set()
            queue.close()

    return asyncio.run(run())
