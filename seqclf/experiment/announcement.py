"""The lines that a training prints before its first step: data, model and length."""

from seqclf.config import Config
from seqclf.config.wording import batch_in_words, distortions_in_words, model_in_words
from seqclf.data.dataset import Dataset
from seqclf.training.distribution.workers import Workers
from seqclf.training.effective import choices_in_words, effective_config


def training_in_words(config: Config, dataset: Dataset, steps: int, workers: Workers) -> str:
    """Returns a few lines that say what will be trained, on what and for how long.

    Args:
        config: a resolved config.
        dataset: its data.
        steps: training steps of the whole training.
        workers: the processes that share it.
    """
    spec, chosen = dataset.spec, choices_in_words(config, dataset, workers.replicas)
    config = effective_config(config, dataset, workers.replicas)
    counts = ", ".join(f"{name} {len(split):,}" for name, split in dataset.splits())
    upto = "up to " if spec.variable_length else ""
    read = (
        f"{upto}{spec.time_steps} steps of {spec.features} features ({spec.reading}), "
        f"{spec.num_classes} classes{' of steps' * spec.per_step}; {counts}"
    )
    if spec.tokens:
        read = (
            f"windows of {spec.time_steps} {spec.tokens.kind} ({config.data.windows}), a "
            f"vocabulary of {spec.num_classes:,}; {counts}"
        )
    distortions = distortions_in_words(config)
    epochs = steps * config.examples_per_step / len(dataset.train)
    lines = [
        f"data    {dataset.origin}",
        f"        {read}",
        *[f"        {line}" for line in _about(dataset)],
        f"model   {model_in_words(config)}",
    ]
    if distortions:
        lines.append(f"augment {distortions}")
    lines.append(
        f"train   {steps:,} steps of {batch_in_words(config)} ({epochs:.1f} epochs), "
        f"{config.optimizer.name}, {config.optimizer.schedule} learning rate "
        f"{config.optimizer.learning_rate:g}, seed {config.seed}"
    )
    lines += [f"        {line}" for line in chosen]
    if not workers.alone:
        lines.append(f"workers {workers.in_words()}")
    return "\n".join(lines)


def _about(dataset: Dataset) -> list[str]:
    """Returns lines about the splits of the data, its scale, its missing values, and its notes."""
    lines = [dataset.division] if dataset.division else []
    if dataset.spec.own_scale:
        lines.append("each sequence is scaled by itself, to mean 0 and deviation 1 of each feature")
    if dataset.spec.missing != "error":
        lines.append(f"missing values: {dataset.spec.missing}")
    return [*lines, *dataset.notes]
