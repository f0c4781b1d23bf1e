"""`make_workers`: the workers and the strategy that a config and the environment ask for."""

from typing import Any

import keras
import tensorflow as tf

from seqclf.config import Config
from seqclf.console.signals import ending_at_once
from seqclf.errors import ConfigError, WorkerLostError
from seqclf.training.distribution.cluster import VARIABLE, Cluster, cluster_of_environment
from seqclf.training.distribution.rendezvous import meet
from seqclf.training.distribution.workers import Workers

# Seconds without an answer after which a worker counts as lost. One that has ended counts at once.
SILENCE = 600


def make_workers(config: Config) -> Workers:
    """Returns the workers of a training, as `distribute` and `TF_CONFIG` name them.

    With several workers it waits until all of them are there. It must be called before anything
    else is done with TensorFlow in the process.

    Args:
        config: a resolved config; `distribute` is read.

    Raises:
        ConfigError: `distribute` and `TF_CONFIG`, or the devices, do not go together.
        WorkerLostError: the other workers cannot be joined, or this one's port is taken.
    """
    kind, cluster = choose_distribution(config.distribute, cluster_of_environment())
    if kind == "multi_worker" and cluster:
        return Workers(_multi_worker(cluster), cluster)
    if kind == "mirrored":
        return Workers(tf.distribute.MirroredStrategy(_devices()))
    return Workers()


def check_batch_divides(config: Config, workers: Workers) -> None:
    """Checks that the workers can divide the batch of a config among them.

    Raises:
        ConfigError: the batch cannot be divided evenly, or each replica would scale its own loss.
    """
    if config.batch_size % workers.replicas:
        raise ConfigError(
            f"`batch_size` is that of all replicas together, and must be a multiple of their "
            f"number, {workers.replicas}. Received: {config.batch_size}"
        )
    if config.precision == "mixed_float16" and not workers.alone:
        raise ConfigError(
            "`precision` 'mixed_float16' scales the loss in each replica by itself: take "
            "'mixed_bfloat16' for a training on several replicas."
        )


def choose_distribution(distribute: str, cluster: Cluster | None) -> tuple[str, Cluster | None]:
    """Returns the kind of distribution: `multi_worker`, `mirrored` or `none`.

    Args:
        distribute: the config's value, one of these or `auto`, which takes what is there.
        cluster: the workers that `TF_CONFIG` names; None: it names none.

    Returns:
        The kind, and the cluster as it was given.

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


def require_alone(config: Config, what: str) -> None:
    """Checks that a training is not distributed, for a caller that trains on one device.

    Args:
        config: a resolved config; `distribute` is read.
        what: the caller, as the beginning of a sentence of the message.

    Raises:
        ConfigError: `distribute` or `TF_CONFIG` asks for several devices or workers.
    """
    kind, _ = choose_distribution(config.distribute, cluster_of_environment())
    if config.distribute == "mirrored" or kind == "multi_worker":
        raise ConfigError(
            f"{what} trains one model on one device at a time: leave `distribute` at 'auto' and "
            f"{VARIABLE} unset. A search is spread over machines and GPUs by its own workers, each "
            "with its GPU in CUDA_VISIBLE_DEVICES. "
            f"Received: distribute={config.distribute!r}"
        )


def sum_before_clipping(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes a Keras optimiser take gradients that are already summed over the replicas.

    Keras (3.15) clips each replica's own gradient and sums afterwards, so that the clipped gradient
    depends on the number of replicas. `TrainStep` sums first, so the optimiser must not sum again.

    Raises:
        RuntimeError: this version of Keras sums in another place, where it would sum again.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not callable(getattr(inner, "_all_reduce_sum_gradients", None)):
        raise RuntimeError(
            f"Keras {keras.__version__} sums gradients over replicas in a way that seqclf does not "
            "know: train with one worker, or with a Keras of the supported range."
        )
    inner._all_reduce_sum_gradients = list  # pairs of gradient and variable, as they are


def _multi_worker(cluster: Cluster) -> tf.distribute.Strategy:
    meet(cluster)
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=SILENCE)
    try:
        with ending_at_once():  # afterwards Python's handlers replace those of TensorFlow again
            return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except (tf.errors.OpError, RuntimeError) as error:
        raise WorkerLostError(
            f"Worker {cluster.index} of {len(cluster.addresses)} cannot join the others: "
            f"{str(error).splitlines()[0][:200]}."
        ) from error


def _devices() -> list[str]:
    """Returns the names of the GPUs, or, if there are none, of the (virtual) CPUs.

    Raises:
        ConfigError: there are fewer than two.
    """
    logical = tf.config.list_logical_devices
    found = [device.name for device in logical("GPU") or logical("CPU")]
    if len(found) < 2:
        raise ConfigError(
            f"`distribute` 'mirrored' needs several GPUs, and TensorFlow sees {len(_gpus())}: set "
            "it to 'auto' or 'none'."
        )
    return found


def _gpus() -> list[Any]:
    return list(tf.config.get_visible_devices("GPU"))
