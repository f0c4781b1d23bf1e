"""The flag `--config`, and one flag `--config.KEY` for each key of the config."""

import functools
from typing import Any

from absl import flags
from ml_collections.config_flags import tuple_parser

from seqclf.config import SCHEMA, nest, with_length
from seqclf.config.recipes import Recipe, load_recipe
from seqclf.config.settings import Setting

NAME = "config"
HELP = (
    "Recipe: a file such as configs/mnist.py, the name of one that comes with seqclf (mnist_fast), "
    "or a config as JSON, such as that of a run. --config.KEY=VALUE changes a key, for example "
    "--config.steps=500; --help=config lists all keys."
)
# The flags that this module defines belong to the command that asks for them.
flags.disclaim_key_flags()


class ConfigFlag:
    """The config that the command line asks for: a recipe, and the keys that are changed."""

    def __init__(self) -> None:
        flags.DEFINE_string(NAME, None, HELP)
        for key, known in SCHEMA.items():
            _define(key, known)

    @functools.cached_property
    def recipe(self) -> Recipe:
        """The recipe that `--config` names.

        Raises:
            ConfigError: there is none, or it cannot be read.
        """
        return load_recipe(flags.FLAGS[NAME].value)

    @property
    def value(self) -> dict[str, Any]:
        """The values of the recipe and of the command line, nested, for `resolve`."""
        given = {key: flags.FLAGS[f"{NAME}.{key}"].value for key in self.overridden_keys()}
        return nest({**self.recipe.values, **with_length(given)})

    def overridden_keys(self) -> list[str]:
        """Returns the keys that the command line gives."""
        return [key for key in SCHEMA if flags.FLAGS[f"{NAME}.{key}"].present]

    def data_source_given(self) -> bool:
        """Returns whether the command line says, by recipe or by key, which data to take."""
        return bool(flags.FLAGS[NAME].present or "data.source" in self.overridden_keys())


def key_of(flag: str) -> str | None:
    """Returns the config key that a flag's name stands for, None for another flag."""
    for prefix in (f"{NAME}.", f"no{NAME}."):
        if flag.startswith(prefix):
            return flag.removeprefix(prefix)
    return None


class _Parser(flags.ArgumentParser):  # type: ignore[misc]  # absl has no types here
    """Parses the text of one key; what is wrong with a text ends in the meaning of the key."""

    def __init__(self, key: str, known: Setting, parser: Any):
        self._key = key
        self._known = known
        self._parser = parser

    def parse(self, argument: Any) -> Any:
        try:
            return self._parser.parse(argument)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{error}\n`{self._key}` takes {self._known.kind.__name__} values: "
                f"{self._known.doc}"
            ) from error

    def flag_type(self) -> str:
        return self._known.kind.__name__


_PARSERS = {
    bool: flags.BooleanParser,
    int: flags.IntegerParser,
    float: flags.FloatParser,
    str: flags.ArgumentParser,
    tuple: tuple_parser.TupleParser,
}


def _define(key: str, known: Setting) -> None:
    # Under a module name of their own they stay out of `--help`, which would be 60 lines longer.
    name, parser = f"{NAME}.{key}", _Parser(key, known, _PARSERS[known.kind]())
    if known.kind is bool:
        flag = flags.BooleanFlag(name, None, known.doc)
        flag.parser = parser
    else:
        flag = flags.Flag(parser, None, name, None, known.doc)
    flags.DEFINE_flag(flag, module_name="seqclf.config")
