"""`suited_config`: the config of a training for which nobody has chosen one."""

from typing import TYPE_CHECKING

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig

if TYPE_CHECKING:
    from seqclf.data.dataset import Dataset

FEW = 5_000  # training examples; with fewer a wide model soon knows them by heart
EPOCHS = 50
LEAST_STEPS, MOST_STEPS = 300, 2_000
VALIDATIONS = 20


def suited_config(dataset: "Dataset") -> Config:
    """Returns a config for a dataset, by the number of its training examples alone.

    The batch is the largest power of two of which at least eight make an epoch, and 128 at most.
    The training lasts 50 epochs, but not less than 300 nor more than 2,000 steps, and is validated
    20 times; after 8 validations without a better one it stops. With fewer than 5,000 training
    examples the model is two layers of 64 units with dropout 0.2; with more it is what `Config()`
    says. All else has its default.

    Args:
        dataset: the data; `config.data` says how it was loaded.
    """
    count = len(dataset.train)
    batch_size = 1
    while batch_size < Config().batch_size and 16 * batch_size <= count:
        batch_size *= 2
    epoch_steps = max(1, count // batch_size)
    steps = min(max(EPOCHS * epoch_steps, LEAST_STEPS), MOST_STEPS)
    few = ModelConfig(units=(64, 64), dropout=0.2)
    return Config(
        data=data_of(dataset),
        model=few if count < FEW else ModelConfig(),
        optimizer=OptimizerConfig(warmup_steps=min(OptimizerConfig().warmup_steps, steps // 10)),
        batch_size=batch_size,
        steps=steps,
        validate_every=steps // VALIDATIONS,
        early_stopping=-1,
    )


def data_of(dataset: "Dataset") -> DataConfig:
    """Returns the group `data` that says how a dataset was loaded."""
    return dataset.options or DataConfig(source="arrays")
