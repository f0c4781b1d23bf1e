"""Recipes: Python files with a function `get_config()`, packaged ones by name, and JSON files."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_collections

from seqclf.config.convert import flatten, from_json
from seqclf.config.schema import Config
from seqclf.errors import ConfigError

PACKAGED = Path(__file__).parents[1] / "recipes"  # the checkout's `configs/`, installed with us


class Recipe:
    """The content of a recipe file.

    Attributes:
        path: the file; None for the defaults.
        values: the values that it gives, by key such as `model.units`.
    """

    def __init__(self, path: Path | None, values: dict[str, Any], names: dict[str, Any]):
        self.path = path
        self.values = values
        self._names = names

    def search_space(self) -> Any:
        """Returns what the recipe's function `get_search_space` declares.

        Raises:
            ConfigError: the recipe has no such function, or the function fails.
        """
        declare = self._names.get("get_search_space")
        if not callable(declare):
            raise ConfigError(
                "The config must be a recipe with a function get_search_space(), as "
                f"configs/digits.py is. Received: {self.path and str(self.path)!r}"
            )
        try:
            return declare()
        except (Exception, SystemExit) as error:  # a recipe is the user's own Python
            raise ConfigError(
                f"{self.path}: get_search_space() failed: {type(error).__name__}: {error}"
            ) from error


def packaged_recipes() -> list[str]:
    """Returns the names of the recipes that come with the package."""
    return sorted(path.stem for path in PACKAGED.glob("[!_]*.py"))


def load_recipe(name: str | None) -> Recipe:
    """Reads a recipe.

    Args:
        name: a Python file with a function `get_config()`, a `.json` file such as a run's
            `config.json`, or the bare name of a packaged recipe, such as `mnist_fast`. None stands
            for the default values.

    Raises:
        ConfigError: there is no such file or recipe, or it cannot be read.
    """
    if name is None:
        return Recipe(None, {}, {})
    path = _find(name)
    if path.suffix == ".json":
        try:
            return Recipe(path, flatten(from_json(path.read_text("utf-8"))), {})
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The config could not be read: {path}: {error}") from error
    try:
        names = runpy.run_path(str(path))
    except (Exception, SystemExit) as error:  # a recipe is the user's own Python
        raise _unreadable(error) from error
    if not callable(names.get("get_config")):
        raise ConfigError(
            f"The config could not be read: {path} has no function get_config(). See "
            "configs/digits.py for an example."
        )
    try:
        config = names["get_config"]()
    except (Exception, SystemExit) as error:
        raise _unreadable(error) from error
    if not isinstance(config, (Config, Mapping, ml_collections.ConfigDict)):
        raise ConfigError(
            f"The config could not be read: get_config() of {path} must return a Config or what "
            f"default_config() returns. Received: {config!r}"
        )
    return Recipe(path, flatten(config), names)


def _find(name: str) -> Path:
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if name in packaged_recipes():
        return PACKAGED / f"{name}.py"
    raise ConfigError(
        f"The recipe could not be found: no such file: {name!r}. Recipes that come with seqclf: "
        f"{', '.join(packaged_recipes())}."
    )


def _unreadable(error: BaseException) -> ConfigError:
    return ConfigError(f"The config could not be read: {type(error).__name__}: {error}")
