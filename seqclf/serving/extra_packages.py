"""The packages of the extras `onnx` and `serve`, which only some commands need."""

import importlib.util

from seqclf.errors import ConfigError

PACKAGES = {
    "onnx": ("tf2onnx", "onnx", "onnxruntime"),
    "serve": ("aiohttp", "grpc_health", "prometheus_client"),
}


def check_packages(extra: str, wanted_by: str) -> None:
    """Checks that the packages of an extra are installed, without importing them.

    Args:
        extra: its name.
        wanted_by: the flag or command that needs it, for the message.

    Raises:
        ConfigError: a package is missing.
    """
    missing = [name for name in PACKAGES[extra] if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"{wanted_by} needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} "
            f"not installed: pip install 'seqclf[{extra}]'."
        )
