"""The variants of a comparison: each cell at the recipe's widths, and at those of equal size."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from seqclf.comparison import BUDGETS
from seqclf.config import Config
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import ConfigError
from seqclf.models.building import build_model

REFERENCE = "gru"  # the cell whose width and size the others are given


@dataclasses.dataclass(frozen=True)
class Variant:
    """One cell in place of the recipe's.

    Attributes:
        cell: name of the cell, as in `model.cell`.
        budget: what it has in common with the reference, one of `BUDGETS`.
        units: width of each recurrent layer.
        parameters: number of parameters of the whole model.
    """

    cell: str
    budget: str
    units: tuple[int, ...]
    parameters: int

    @property
    def name(self) -> str:
        """Cell and widths, such as `gru-64-64`."""
        return f"{self.cell}-{'-'.join(map(str, self.units))}"


def make_variants(
    config: Config, spec: DatasetSpec, cells: Sequence[str], budgets: Sequence[str] = BUDGETS
) -> list[Variant]:
    """Returns each cell at the recipe's widths, and at those that make it as large as the GRU.

    Args:
        config: a resolved config; its `model.units` are the widths of the reference.
        spec: spec of the data.
        cells: names of the cells, as in `model.cell`.
        budgets: what the cells shall have in common, one or both of `BUDGETS`.

    Raises:
        ConfigError: a cell lacks an option of the recipe, or needs more memory than there is.
    """
    widths = tuple(config.model.units)
    target = _count_parameters(config, spec, REFERENCE, widths)
    found = []
    for budget in budgets:
        for cell in cells:
            units = widths if budget == "width" else _units_of_size(config, spec, cell, target)
            parameters = _count_parameters(config, spec, cell, units)
            found.append(Variant(cell, budget, units, parameters))
    return found


def with_variant(config: Config, variant: Variant, seed: int) -> Config:
    """Returns the config with which a variant is trained.

    Args:
        config: a resolved config.
        variant: cell and widths that replace those of the config.
        seed: seed of the training.
    """
    changes = {
        "model.cell": variant.cell,
        "model.units": variant.units,
        "seed": seed,
        "name": f"{config.name}-{variant.name}",
    }
    return config.changed(changes)


def _units_of_size(config: Config, spec: DatasetSpec, cell: str, target: int) -> tuple[int, ...]:
    """Returns the widths that bring a cell closest to a number of parameters.

    The widths have the proportions of the recipe's.
    """
    base = config.model.units

    def scaled(first: int) -> tuple[int, ...]:
        return tuple(max(1, round(width * first / base[0])) for width in base)

    low, high = 1, 1
    while _count_parameters(config, spec, cell, scaled(high)) < target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _count_parameters(config, spec, cell, scaled(middle)) < target:
            low = middle
        else:
            high = middle

    def distance(first: int) -> int:
        return abs(_count_parameters(config, spec, cell, scaled(first)) - target)

    return scaled(min((low, high), key=distance))


def _count_parameters(config: Config, spec: DatasetSpec, cell: str, units: tuple[int, ...]) -> int:
    variant = Variant(cell, "", units, 0)
    try:
        return int(build_model(with_variant(config, variant, 0), spec).count_params())
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise ConfigError(
            f"`model.units` {list(units)} with `model.cell` {cell!r} needs more memory than there "
            "is: make them smaller."
        ) from error
