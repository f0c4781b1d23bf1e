"""The packages that an ONNX file needs, all of the extra `onnx`."""

import importlib.util

from seqclf.errors import ConfigError

PACKAGES = ("tf2onnx", "onnx", "onnxruntime")


def check_packages() -> None:
    """Checks that what `--onnx` needs is installed, without importing it.

    Raises:
        ConfigError: a package is missing.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"--onnx needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} "
            "not installed: pip install 'seqclf[onnx]'."
        )
