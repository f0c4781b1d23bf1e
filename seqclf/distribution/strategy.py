"""`make_workers`: the tf.distribute strategy that a config and the environment ask for."""

from typing import Any

import keras
import tensorflow as tf

from seqclf.distribution.cluster import VARIABLE, Cluster, cluster_of_environment
from seqclf.distribution.workers import Workers
from seqclf.errors import ConfigError, WorkerLostError
from seqclf.signals import ending_at_once

SILENCE = (
    600  # seconds without an answer after which a peer counts as lost; a dead one does at once
)


def make_workers(config: Any) -> Workers:
    """Returns those who share a training, by `distribute`; on several machines, once all are there.

    Must be called before anything else is done with TensorFlow in the process.

    Args:
        config: resolved; `distribute`, `batch_size` and `precision` are read.

    Raises:
        ConfigError: `distribute` and `TF_CONFIG` do not go together, or the batch cannot be shared
            out evenly.
        WorkerLostError: the other workers cannot be reached, or this one's port is taken.
    """
    kind, cluster = chosen(config.distribute, cluster_of_environment())
    if kind == "multi_worker" and cluster:
        workers = Workers(_multi_worker(cluster), cluster)
    elif kind == "mirrored":
        workers = Workers(tf.distribute.MirroredStrategy(_devices()))
    else:
        return Workers()
    if config.batch_size % workers.replicas:
        raise ConfigError(
            f"`batch_size` is that of all replicas together, and must be a multiple of their "
            f"number, {workers.replicas}. Received: {config.batch_size}"
        )
    if config.precision == "mixed_float16" and not workers.alone:
        raise ConfigError(
            "`precision` 'mixed_float16' scales the loss in each replica by itself: take "
            "'mixed_bfloat16' for a training that is shared out."
        )
    return workers


def chosen(distribute: str, cluster: Cluster | None) -> tuple[str, Cluster | None]:
    """Returns the kind of distribution, `auto` decided: `multi_worker`, `mirrored` or `none`.

    Raises:
        ConfigError: `multi_worker` without `TF_CONFIG`, or something else with it.
    """
    several = cluster is not None and len(cluster.addresses) > 1
    if distribute == "multi_worker" and not cluster:
        raise ConfigError(
            f"`distribute` 'multi_worker' needs the workers' addresses in {VARIABLE}, which is not "
            "set. Set it for every worker, or set `distribute` to 'auto'."
        )
    if distribute in ("mirrored", "none") and several:
        raise ConfigError(
            f"{VARIABLE} names several workers, but `distribute` is {distribute!r}: set it to "
            f"'multi_worker' or 'auto', or unset {VARIABLE}."
        )
    if distribute == "auto":
        distribute = "multi_worker" if several else "mirrored" if len(_gpus()) > 1 else "none"
    return distribute, cluster


def require_alone(config: Any, what: str) -> None:
    """Checks that nobody asks for a training to be shared out where it cannot be.

    Args:
        config: resolved; `distribute` is read.
        what: what trains, as the beginning of a sentence.

    Raises:
        ConfigError: `distribute` or `TF_CONFIG` asks for it.
    """
    kind, _ = chosen(config.distribute, cluster_of_environment())
    if config.distribute == "mirrored" or kind == "multi_worker":
        raise ConfigError(
            f"{what} trains one model on one device at a time: leave `distribute` at 'auto' and "
            f"{VARIABLE} unset. A search is spread over machines and GPUs by its own workers, each "
            "with its GPU in CUDA_VISIBLE_DEVICES. "
            f"Received: distribute={config.distribute!r}"
        )


def sum_before_clipping(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes a Keras optimiser take gradients that are summed over the replicas already.

    Keras (3.15) clips each replica's own gradient and sums afterwards, so that the clipped gradient
    depends on the number of replicas. The step here sums first, and then the optimiser must not.

    Raises:
        RuntimeError: this Keras sums elsewhere, so that nothing here would keep it from summing.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not callable(getattr(inner, "_all_reduce_sum_gradients", None)):
        raise RuntimeError(
            f"Keras {keras.__version__} sums gradients over replicas in a way that seqclf does not "
            "know: train with one worker, or with a Keras of the supported range."
        )
    inner._all_reduce_sum_gradients = list  # pairs of gradient and variable, as they are


def _multi_worker(cluster: Cluster) -> tf.distribute.Strategy:
    others = [address for i, address in enumerate(cluster.addresses) if i != cluster.index]
    print(
        f"Worker {cluster.index} of {len(cluster.addresses)}, at "
        f"{cluster.addresses[cluster.index]}: waiting for {', '.join(others) or 'nobody'} …",
        flush=True,
    )
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=SILENCE)
    try:
        with ending_at_once():
            return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except (tf.errors.OpError, RuntimeError) as error:
        raise WorkerLostError(
            f"Worker {cluster.index} cannot join the others ({str(error).splitlines()[0][:200]}). "
            f"Is {cluster.addresses[cluster.index]} an address of this machine with a free port, "
            f"and are {', '.join(others)} started?"
        ) from error


def _devices() -> list[str]:
    """Returns the GPUs, or without any the (virtual) CPUs."""
    logical = tf.config.list_logical_devices
    return [device.name for device in logical("GPU") or logical("CPU")]


def _gpus() -> list[Any]:
    return tf.config.get_visible_devices("GPU")
