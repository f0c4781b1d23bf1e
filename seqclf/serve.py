"""Serves an export on this machine as TensorFlow Serving would, for development.

    python -m seqclf.serve --export_dir=models/mnist

answers REST on port 8501 and gRPC on port 8500 and takes new versions over as they appear.
`--page` adds a web page on which the model can be tried: docs/explain.md. In production serve the
same folder with TensorFlow Serving itself: docs/serving.md.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from seqclf.console import app
from seqclf.console.progress import announce
from seqclf.errors import ExportError
from seqclf.serving.extra_packages import check_packages
from seqclf.serving.labels import parse_labels

PAGE_FOLDER = Path(__file__).parent / "page"  # the checkout's `page/`, installed with us

EXPORT_DIR = flags.DEFINE_string("export_dir", None, "Folder of the export's versions.")
NAME = flags.DEFINE_string("name", "seqclf", "Name of the model, a part of its URLs.")
HOST = flags.DEFINE_string(
    "host", "127.0.0.1", "Address to listen on; 0.0.0.0 listens on all of this machine's addresses."
)
PORT = flags.DEFINE_integer(
    "port", 8501, "TCP port of the REST server; 0 picks a free one.", 0, 65535
)
GRPC_PORT = flags.DEFINE_integer(
    "grpc_port",
    8500,
    "TCP port of the gRPC server; 0 picks a free one, -1 starts no gRPC server.",
    -1,
    65535,
)
NUM_VERSIONS = flags.DEFINE_integer(
    "num_versions", 1, "Number of versions to serve, the newest ones.", 1
)
LABELS = flags.DEFINE_list(
    "labels", [], "Labels of versions, such as stable=1,canary=2; their versions are served too."
)
PAGE = flags.DEFINE_bool(
    "page", False, "Serve the page that shows how the model reads, under / of the REST port."
)
CORS = flags.DEFINE_bool("cors", False, "Let web pages of other origins send requests.")
MAX_BODY_MB = flags.DEFINE_integer("max_body_mb", 32, "Largest size of a request in MiB.", 1, 1024)
TIMEOUT = flags.DEFINE_float("timeout", 30.0, "Seconds that a prediction may take.", 0.001)


def check(argv: Sequence[str]) -> None:
    """Checks the flags without TensorFlow, so that a mistake is reported at once."""
    del argv
    check_packages("serve", "seqclf.serve")
    from seqclf.serving.server.page_files import PageFiles
    from seqclf.serving.server.ports import check_port_free
    from seqclf.serving.versions import version_folder

    parse_labels(LABELS.value)
    folder = Path(EXPORT_DIR.value).expanduser()
    if version_folder(folder) == folder:
        raise ExportError(f"{folder} is one version: give the folder in which it is.")
    if PAGE.value:
        PageFiles(PAGE_FOLDER, NAME.value)  # raises where its files are missing
    check_port_free(HOST.value, PORT.value, "--port")
    check_port_free(HOST.value, GRPC_PORT.value, "--grpc_port")


def main(argv: Sequence[str]) -> None:
    """Serves until a signal ends the command."""
    del argv
    from seqclf.serving.server.run import ServerOptions, serve

    announce(f"Loading the model in {EXPORT_DIR.value}")
    serve(
        ServerOptions(
            export_dir=Path(EXPORT_DIR.value).expanduser(),
            name=NAME.value,
            host=HOST.value,
            port=PORT.value,
            grpc_port=GRPC_PORT.value,
            keep_loaded=NUM_VERSIONS.value,
            labels=parse_labels(LABELS.value),
            cors=CORS.value,
            max_body=MAX_BODY_MB.value * 2**20,
            timeout=TIMEOUT.value,
            page=PAGE_FOLDER if PAGE.value else None,
        )
    )


if __name__ == "__main__":
    app.run(main, check=check, required=["export_dir"])
