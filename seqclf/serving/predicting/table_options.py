"""`TableOptions` and `layout_for`: the columns from which a table is read for a model."""

import dataclasses
from dataclasses import dataclass

from seqclf.data.table_layout import TableLayout, listed_names, mark
from seqclf.errors import ConfigError, DataError
from seqclf.serving.model_input import ModelInput


@dataclass(frozen=True)
class TableOptions:
    """Options of the user for the columns of a table; "" takes that of the training table.

    Attributes:
        form: `long` or `wide`, see `TableLayout`.
        id, time, label: names of columns, see `TableLayout`.
        features: names of the columns that the model reads, in its order, separated by commas.
        separator: the character between two values of a CSV file; `tab` for a tabulator.
        decimal: the decimal mark of a CSV file.
    """

    form: str = ""
    id: str = ""
    time: str = ""
    features: str = ""
    label: str = ""
    separator: str = ""
    decimal: str = ""

    def given(self) -> list[str]:
        """Returns the names of the options that the user gives."""
        return [name for name, value in dataclasses.asdict(self).items() if value]


def layout_for(model: ModelInput, options: TableOptions, path: str) -> TableLayout:
    """Returns the columns of a table for a model.

    They are those of the table that the model was trained on, unless the options name others. For
    a model that was trained on no table, the columns of the features are called as the features
    are, or else `features` must name them, and `id` must be named.

    Args:
        model: description of the inputs that the model takes.
        options: options of the user for the columns.
        path: the table, for messages.

    Raises:
        ConfigError: the columns are not known, or not as many as the model reads.
        DataError: the model reads images.
    """
    if model.features is None:
        raise DataError(f"{path}: this model reads images {model.in_words()}, and not a table.")
    layout = features_layout(model, options, path)
    if layout.form == "long" and not layout.id and not (model.spec and model.spec.table):
        raise ConfigError(
            f"{path}: {_unknown(model)} which column tells the sequences apart: name it in --id. "
            "(If each file is one sequence, name their folder instead.)"
        )
    return layout


def features_layout(model: ModelInput, options: TableOptions, path: str) -> TableLayout:
    """Returns the columns of a table that need not have ids, because it may hold a single sequence.

    The arguments, the choice of the columns and the errors are those of `layout_for`.
    """
    known = model.spec.table if model.spec else None
    form = options.form or (known.form if known else "long")
    if known is None or known.form != form:
        names = model.spec.feature_names if model.spec and form == "long" else ()
        known = TableLayout(form=form, values=names)
    changes = {name: getattr(options, name) for name in ("id", "time", "label", "decimal")}
    changes |= {"values": listed_names(options.features), "separator": mark(options.separator)}
    layout = dataclasses.replace(known, **{k: v for k, v in changes.items() if v})
    if form == "wide" and layout.time:
        raise ConfigError("--time is for the long form: in the wide form columns are time steps.")
    _check_values(model, layout, path)
    return layout


def _check_values(model: ModelInput, layout: TableLayout, path: str) -> None:
    if not layout.values:
        what = "time steps" if layout.form == "wide" else f"{model.features} features"
        raise ConfigError(
            f"{path}: {_unknown(model)} the names of the {what}: name the columns in --features, "
            "in the order in which the model reads them."
        )
    count = 1 if layout.form == "wide" else len(layout.values)
    if count != model.features:
        raise ConfigError(
            f"{path}: this model reads {model.features} features at each time step. Received: "
            f"{count}{' (the wide form has one)' if layout.form == 'wide' else ''}"
        )


def _unknown(model: ModelInput) -> str:
    if model.spec is None:
        return (
            "this server does not tell (unless --manifest names the manifest.json of the version)"
        )
    return "this model, which was not trained on a table, does not know"
