"""What must not be imported at start-up, and by tests; all else is in pyproject's contracts."""

import ast
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def imported(path):
    """Yields the names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_test_module_imports_another():
    modules = {path.stem for path in TESTS.rglob("*.py") if path.parent != TESTS}
    modules |= {path.stem for path in TESTS.glob("test_*.py")} | {"conftest", "tests"}
    for path in TESTS.rglob("*.py"):
        for name in imported(path):
            found = modules & set(name.split(".")) if not name.startswith("seqclf") else ()
            assert not found, f"{path} imports {name}: put what is shared into tests/"


def test_a_folder_of_the_package_s_name_is_not_taken_for_it(tmp_path):
    """Beside a clone lies a folder `seqclf` without `__init__.py`, which Python could import."""
    (tmp_path / "seqclf").mkdir()
    program = "import seqclf; print(seqclf.__version__, seqclf.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    remedy = "install with --config-settings editable_mode=compat, as make does"
    assert done.returncode == 0, f"{remedy}: {done.stderr}"
    assert done.stdout.strip().endswith("__init__.py"), remedy


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
