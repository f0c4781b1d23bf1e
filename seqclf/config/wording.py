"""A config in words, for what is printed at the start and for the report."""

from seqclf.config.schema import Config


def model_in_words(config: Config) -> str:
    """Returns the model that a config describes, such as `bidirectional GRU [128, 128]`."""
    model = config.model
    parts = [
        f"{'bidirectional ' if model.bidirectional else ''}{model.cell.upper()} "
        f"[{', '.join(map(str, model.units))}]"
    ]
    parts += [f"embedding {model.embedding}"] if model.embedding else []
    parts += ["reset gate before the product"] * (not model.reset_after)
    parts += ["mean of the states beside the last"] * (model.pooling == "mean")
    if model.conv:
        dilated = f" dilated by {model.conv_dilation}" * (model.conv_dilation > 1)
        largest = " with the largest values" * (model.conv_pooling == "max")
        parts += [f"convolutions [{', '.join(map(str, model.conv))}]{dilated}{largest}"]
    parts += ["layer normalisation"] * model.layer_norm
    parts += [f"dropout {model.dropout:g}"] if model.dropout else []
    if model.embedding_dropout:
        parts += [f"dropout of the embedding {model.embedding_dropout:g}"]
    parts += [f"weight drop {model.weight_drop:g}"] if model.weight_drop else []
    if any(factor > 1 for factor in model.time_reduction):
        parts += [f"time reduction [{', '.join(map(str, model.time_reduction))}]"]
    parts += [f"chrono initialisation to {model.chrono} steps"] if model.chrono else []
    return ", ".join(parts)


def selection_in_words(config: Config) -> str:
    """Returns which weights become the model, such as `the best by validation accuracy`.

    Args:
        config: a config whose `select` is not "auto".
    """
    if config.select == "last":
        return "the last"
    return f"the best by validation {config.criterion.replace('_', ' ')}"


def batch_in_words(config: Config) -> str:
    """Returns what a step learns from, such as `64` or `the 64 hardest of 256`."""
    if config.batch_selection == 1:
        return str(config.batch_size)
    return f"the {config.batch_size} hardest of {config.examples_per_step}"


def distortions_in_words(config: Config) -> str:
    """Returns how training images are distorted, such as `shift 0.07, rotation 12`, or ``."""
    asked = {name: value for name, value in config.augment.to_dict().items() if value}
    return ", ".join(
        name if value is True else f"{name} {value:g}" for name, value in asked.items()
    )
