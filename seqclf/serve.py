"""Serves an export on this machine as TensorFlow Serving would, for development.

    python -m seqclf.serve --export_dir=models/mnist

answers REST on port 8501 and gRPC on port 8500 and takes new versions over as they appear. In
production serve the same folder with TensorFlow Serving itself: docs/serving.md.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from seqclf.console import app
from seqclf.errors import ConfigError, ExportError

EXPORT_DIR = flags.DEFINE_string("export_dir", None, "Folder of the versions.")
NAME = flags.DEFINE_string("name", "seqclf", "Of the model, in addresses.")
HOST = flags.DEFINE_string("host", "127.0.0.1", "Address to listen on; 0.0.0.0: all.")
PORT = flags.DEFINE_integer("port", 8501, "Of REST; 0: any free one.", 0, 65535)
GRPC_PORT = flags.DEFINE_integer(
    "grpc_port", 8500, "Of gRPC; 0: any free one, -1: none.", -1, 65535
)
NUM_VERSIONS = flags.DEFINE_integer("num_versions", 1, "Newest versions to serve.", 1)
LABELS = flags.DEFINE_list("labels", [], "Such as stable=1,canary=2.")
CORS = flags.DEFINE_bool("cors", False, "Let web pages from elsewhere ask.")
MAX_BODY_MB = flags.DEFINE_integer("max_body_mb", 32, "Largest request, in MiB.", 1, 1024)
TIMEOUT = flags.DEFINE_float("timeout", 30.0, "Seconds that a prediction may take.", 0.001)


def check(argv: Sequence[str]) -> None:
    del argv
    from seqclf.serving.publish import version_folder
    from seqclf.serving.server.ports import check_free

    read_labels()
    folder = Path(EXPORT_DIR.value).expanduser()
    if version_folder(folder) == folder:
        raise ExportError(f"{folder} is one version: give the folder in which it is.")
    check_free(HOST.value, PORT.value, "--port")
    check_free(HOST.value, GRPC_PORT.value, "--grpc_port")


def main(argv: Sequence[str]) -> None:
    del argv
    from seqclf.serving.server.run import ServerOptions, serve

    serve(
        ServerOptions(
            export_dir=Path(EXPORT_DIR.value).expanduser(),
            name=NAME.value,
            host=HOST.value,
            port=PORT.value,
            grpc_port=GRPC_PORT.value,
            keep_loaded=NUM_VERSIONS.value,
            labels=read_labels(),
            cors=CORS.value,
            max_body=MAX_BODY_MB.value * 2**20,
            timeout=TIMEOUT.value,
        )
    )


def read_labels() -> dict[str, int]:
    labels = {}
    for item in LABELS.value:
        name, _, version = item.partition("=")
        if not name or not version.isdecimal():
            raise ConfigError(f"--labels takes NAME=VERSION,… Received: {item!r}")
        if name in labels:
            raise ConfigError(f"--labels names {name!r} twice.")
        labels[name] = int(version)
    return labels


if __name__ == "__main__":
    app.run(main, check=check, required=["export_dir"])
