"""`effective_config`: what a config means for a dataset; checks that the two go together."""

from typing import Any

from seqclf.config import Config, refuse
from seqclf.data.augmentation import augmentation_of
from seqclf.data.dataset import Dataset, ExampleStore
from seqclf.data.length_buckets import BucketedSplit, in_length_buckets
from seqclf.data.pipeline import steps_per_epoch
from seqclf.errors import ConfigError
from seqclf.models.classifier import check_kernels
from seqclf.training.criteria import check_defined
from seqclf.training.example_weights import example_weights, weights_in_words
from seqclf.training.native import native_in_words, trains_natively
from seqclf.training.step_checks import check_fits_steps
from seqclf.training.text_checks import check_fits_text

FEW = 50  # validation examples; among fewer the best validation is mostly a matter of luck


def effective_config(config: Config, dataset: Dataset, replicas: int = 1) -> Config:
    """Returns the config with the choices that it leaves to the data.

    `select` "auto" becomes "best" (for text "loss"), or "last" with fewer than `FEW` validation
    examples. `early_stopping` -1 becomes two fifths of the validations, or 0 with so few examples.
    A `batch_size` that the training split cannot fill becomes the largest that it can.

    Args:
        config: a resolved config; one that this function returned is returned unchanged.
        dataset: its data.
        replicas: the number of replicas that divide a batch among them.

    Raises:
        ConfigError: not even the smallest batch can be filled.
    """
    changes: dict[str, Any] = {"batch_size": _filled_batch_size(config, dataset.train, replicas)}
    if config.select == "auto":
        best = "loss" if dataset.spec.is_text else "best"
        changes["select"] = "last" if len(dataset.validation) < FEW else best
    config = config.changed(changes)
    if config.early_stopping == -1:
        return config.changed({"early_stopping": _patience(config, dataset)})
    return config


def _patience(config: Config, dataset: Dataset) -> int:
    """Returns after how many validations without a better one a training shall stop; 0: never."""
    if len(dataset.validation) < FEW:
        return 0
    epoch_steps = steps_per_epoch(dataset.train, config.examples_per_step)
    steps = config.steps or max(1, round(config.epochs * epoch_steps))
    validations = -(-steps // (config.validate_every or epoch_steps))
    return max(2, -(-2 * validations // 5))


def choices_in_words(config: Config, dataset: Dataset, replicas: int = 1) -> list[str]:
    """Returns lines that say what the data decides: weights, and what `effective_config` chooses.

    Args:
        config: the config as it was given.
        dataset: its data.
        replicas: the number of replicas that divide a batch among them.
    """
    chosen = effective_config(config, dataset, replicas)
    lines = weights_in_words(config, dataset)
    if chosen.batch_size != config.batch_size:
        of = f", of {config.batch_selection} times as many" * (config.batch_selection > 1)
        lines.append(
            f"batches of {chosen.batch_size}{of}, not {config.batch_size:,}: there are "
            f"{len(dataset.train):,} examples to train on"
        )
    lines += native_in_words(config) + _padding_in_words(chosen, dataset)
    if config.select == "auto" and chosen.select == "last":
        count = len(dataset.validation)
        why = f"{count:,} validation examples are fewer than {FEW}, too few to choose by (`select`)"
        if not count:
            why = "there are no validation examples"
        lines.append(f"the last weights become the model: {why}")
    if config.early_stopping == -1 and chosen.early_stopping:
        lines.append(
            f"it stops after {chosen.early_stopping} validations without a better one "
            "(`early_stopping`)"
        )
    return lines


def _padding_in_words(config: Config, dataset: Dataset) -> list[str]:
    """Returns a line that says what length buckets save; [] without them."""
    split = in_length_buckets(dataset.train, config.length_buckets)
    if not isinstance(split, BucketedSplit):
        return []
    without, buckets = split.padding(config.examples_per_step, config.seed)
    *shorter, longest = map(str, split.bounds)
    lengths = f"{', '.join(shorter)} or {longest}" if shorter else longest
    return [
        f"padding is {buckets:.0%} of the time steps, not {without:.0%}: batches have {lengths} "
        "time steps (`length_buckets`)"
    ]


def check_fits_data(config: Config, dataset: Dataset) -> None:
    """Checks that a config and a dataset go together.

    Raises:
        ConfigError: a step would read more examples than the training split has even with
            `batch_size` 1, `augment.*` asks for augmentation of examples that are no images,
            `length_buckets` is set for examples in shards or of one length, a kernel of
            `model.conv` is longer than the sequences, `select` names something that is not defined
            on the validation split, or `select` or `early_stopping` needs validation examples and
            there are none. Also for weights and for `native`; see `example_weights` and
            `trains_natively`.
        DataError: the weights of the training examples cannot be used.
    """
    if dataset.spec.is_text:
        check_fits_text(config)
    else:
        of_text = {
            "embedding": "its time steps are no tokens",
            "weight_drop": "it is made for training on text",
        }
        refuse(config.model, of_text, "sequences of numbers")
    if dataset.spec.per_step:
        check_fits_steps(config)
    effective_config(config, dataset)
    trains_natively(config)
    augmentation_of(config, dataset.spec)
    in_length_buckets(dataset.train, config.length_buckets)
    if not dataset.spec.is_text:
        check_kernels(config.model, dataset.spec)
    example_weights(config, dataset)
    if not len(dataset.validation):
        _check_needs_no_validation(config)
        return
    if dataset.spec.is_text:
        return
    what = f"`select` {config.select!r}"
    check_defined(config.criterion, what, dataset.validation, dataset.spec.class_names)


def _check_needs_no_validation(config: Config) -> None:
    wrong = f"early_stopping={config.early_stopping}" if config.early_stopping > 0 else ""
    if config.select not in ("auto", "last"):
        wrong = f"select={config.select!r}"
    if wrong:
        raise ConfigError(
            "Without validation examples the training runs to its end and its last weights become "
            "the model: set `data.validation` above 0, or leave `early_stopping` at 0 and `select` "
            f"at 'auto' or 'last'. Received: {wrong}, data.validation={config.data.validation:g}"
        )


def total_steps(config: Config, dataset: Dataset) -> int:
    """Returns the number of steps of a whole training, from `steps` or `epochs`.

    Raises:
        ConfigError: a step would read more examples than the training split has.
    """
    batch = effective_config(config, dataset).examples_per_step
    return config.steps or max(1, round(config.epochs * steps_per_epoch(dataset.train, batch)))


def _filled_batch_size(config: Config, train: ExampleStore, replicas: int) -> int:
    """Returns `batch_size`, or the largest one that the training split can fill."""
    size, times = config.batch_size, config.batch_selection
    # Of shards the number of examples in an epoch depends on the size of the batches.
    while size * times > (examples := train.epoch_examples(size * times)):
        size = examples // times
        size -= size % replicas
        if not size:
            what = f"{replicas} replicas" if times == 1 else f"`batch_selection` {times}"
            raise ConfigError(
                f"A step must not read more examples than the {examples} that there are to train "
                f"on, and with {what} it would even with the smallest `batch_size`. Received: "
                f"batch_size={config.batch_size}, batch_selection={times}"
            )
    return size
