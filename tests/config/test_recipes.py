"""Recipes: by file, by name, as JSON; and the messages for those that cannot be used."""

import json
from pathlib import Path

import pytest

from seqclf.config import Config, ModelConfig, resolve, to_json
from seqclf.config.recipes import load_recipe, packaged_recipes
from seqclf.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"


def values(name):
    return load_recipe(str(name)).values


def written(folder, text):
    path = folder / "recipe.py"
    path.write_text(text)
    return path


def test_packaged_recipes_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert set(packaged_recipes()) == {path.stem for path in CONFIGS.glob("*.py")}
    for name in packaged_recipes():
        assert values(name) == values(CONFIGS / f"{name}.py")
    assert values("mnist_fast")["model.units"] == (96, 96)


def test_a_file_of_that_name_is_taken_before_a_packaged_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()  # a folder is no recipe
    assert values("digits")["name"] == "digits"
    (tmp_path / "mnist_fast").write_text("def get_config():\n    return {'name': 'mine'}\n")
    assert values("mnist_fast") == {"name": "mine"}


@pytest.mark.parametrize(
    "text",
    [
        "from seqclf.config import Config, ModelConfig\n"
        "def get_config():\n    return Config(name='mine', model=ModelConfig(units=(3,)))",
        "from seqclf.config import default_config\n"
        "def get_config():\n    c = default_config()\n    c.name = 'mine'\n"
        "    c.model.units = [3]\n    return c",
        "def get_config():\n    return {'name': 'mine', 'model': {'units': [3]}}",
    ],
    ids=["Config", "draft", "dictionary"],
)
def test_what_a_recipe_may_return(tmp_path, text):
    given = load_recipe(str(written(tmp_path, text))).values
    expected = Config(name="mine", model=ModelConfig(units=(3,)))
    nested = {"name": given["name"], "model": {"units": given["model.units"]}}
    assert resolve(nested) == expected


def test_a_run_s_config_is_a_recipe(tmp_path):
    config = Config(name="earlier", seed=3)
    (tmp_path / "config.json").write_text(to_json(config))
    read = values(tmp_path / "config.json")
    assert (read["name"], read["seed"]) == ("earlier", 3)
    (tmp_path / "config.json").write_text(json.dumps({"sed": 3}))
    with pytest.raises(ConfigError, match=r"Unknown config key `sed`. Did you mean `seed`\?"):
        load_recipe(str(tmp_path / "config.json"))


def test_no_recipe_at_all_stands_for_the_defaults():
    assert load_recipe(None).values == {}


def test_a_name_that_there_is_not_lists_those_that_there_are():
    with pytest.raises(
        ConfigError, match=r"no such file: 'mnist_slow'.*mnist, mnist_best"
    ) as error:
        load_recipe("mnist_slow")
    assert error.value.exit_status == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def get_config(:", "The config could not be read: SyntaxError"),
        ("import nothing_of_the_kind", "The config could not be read: ModuleNotFoundError"),
        ("raise SystemExit(0)", "The config could not be read: SystemExit"),
        ("x = 1", r"recipe.py has no function get_config\(\)\. See configs/digits.py"),
        ("get_config = 3", r"has no function get_config\(\)"),
        ("def get_config():\n    return 3", r"must return a Config or what default_config\(\)"),
        ("def get_config():\n    raise KeyError('x')", "The config could not be read: KeyError"),
        (
            "from seqclf.config import default_config\n"
            "def get_config():\n    c = default_config()\n    c.batch_size = 'a'\n    return c",
            "Could not override field 'batch_size'",
        ),
        (
            "from seqclf.config import Config\ndef get_config():\n    return Config(steps=-1)",
            "`steps` must be at least 0. Received: -1",
        ),
        (
            "from seqclf.config import Config\ndef get_config():\n    return Config(step=1)",
            "The config could not be read: TypeError: .* unexpected keyword argument 'step'",
        ),
    ],
)
def test_broken_recipes(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load_recipe(str(written(tmp_path, text)))


def test_a_recipe_without_a_search_space(tmp_path):
    path = written(tmp_path, "def get_config():\n    return {}")
    with pytest.raises(ConfigError, match=r"function get_search_space\(\)"):
        load_recipe(str(path)).search_space()
