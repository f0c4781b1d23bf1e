"""Who may import whom, and what must not be imported to say hello."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "seqclf"
COMMANDS = {"train", "tune", "shard", "evaluate", "export", "predict", "serve", "compare"}
# Each module or package, and those of ours that it may import.
ALLOWED = {
    "errors": set(),
    "config": {"errors"},
    "signals": {"errors"},
    "locks": {"errors"},
    "runs": {"config", "errors", "locks"},
    "distribution": {"errors", "signals"},
    "environment": set(),
    "layers": set(),
    "data": {"errors", "progress"},
    "models": {"data", "errors", "layers", "runs"},
    "optimizers": set(),
    "checkpoints": {"errors", "runs"},
    "evaluation": {"data", "distribution", "steps"},
    "metrics": {"errors", "evaluation", "runs"},
    "progress": set(),
    "figures": {"data", "evaluation", "runs"},
    "wording": {"config"},
    "report": {"data", "evaluation", "figures", "metrics", "progress", "runs", "wording"},
    "samples": {"data", "runs"},
    "training": {
        *("checkpoints", "config", "data", "distribution", "errors", "evaluation", "metrics"),
        *("models", "optimizers", "progress", "runs", "signals", "steps"),
    },
    "steps": {"data", "distribution", "layers"},
    "serving": {"data", "environment", "errors", "layers", "models", "runs"},
    "explain": {
        *("commands", "data", "errors", "figures", "layers", "models", "runs", "serving"),
        "training",
    },
    "comparison": {
        *("config", "data", "distribution", "environment", "errors", "experiment", "explain"),
        *("figures", "metrics", "models", "runs", "training"),
    },
    "experiment": {
        *("config", "data", "distribution", "environment", "errors", "evaluation", "models"),
        *("report", "runs", "samples", "serving", "training", "wording"),
    },
    "search_space": {"config", "errors"},
    "tuner": {
        *("config", "data", "distribution", "errors", "evaluation", "experiment", "figures"),
        *("locks", "metrics", "progress", "report", "runs", "search_space", "training"),
    },
    "commands": {"config", "errors", "signals"},
    "default_recipe": {"config"},
    "json_recipe": {"config"},
}


def imported(path):
    """Returns the modules of ours that a file imports, by their first name."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "seqclf":
                names |= {f"seqclf.{alias.name}" for alias in node.names}
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("seqclf.")}


def test_imports_point_one_way():
    for path in PACKAGE.rglob("*.py"):
        module = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if module == "__init__" or (module in COMMANDS):
            continue
        foreign = imported(path) - {module}
        assert foreign <= ALLOWED[module], f"{path.name} imports {foreign - ALLOWED[module]}"


def test_the_allowed_imports_have_no_cycle():
    left = dict(ALLOWED)
    while left:
        free = [module for module, needs in left.items() if not needs & left.keys()]
        assert free, f"a cycle among {sorted(left)}"
        for module in free:
            del left[module]


def test_the_parts_of_serving_point_one_way():
    """The client asks servers, the server serves exports: neither needs the other."""
    apart = {
        "client": ("server", "verify", "export"),
        "server": ("client", "verify", "export"),
        "verify": ("client", "server", "export"),
    }
    for part, others in apart.items():
        for path in (PACKAGE / "serving" / part).rglob("*.py"):
            text = path.read_text()
            assert not [o for o in others if f"seqclf.serving.{o}" in text], path


def test_nothing_imports_a_command():
    for path in PACKAGE.rglob("*.py"):
        assert not imported(path) & COMMANDS, path


def test_public_names_are_there_and_lazy():
    program = """
import sys, seqclf
assert not {"tensorflow", "keras"} & set(sys.modules), "importing seqclf imports TensorFlow"
assert {"GRU", "GRUCell", "build_classifier", "load_dataset"} <= set(dir(seqclf))
for name in seqclf.__all__:
    getattr(seqclf, name)
try:
    seqclf.nothing
except AttributeError as error:
    assert "has no attribute 'nothing'" in str(error)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
