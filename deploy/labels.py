"""Sets which version is `stable` and which is `canary`: replaces models.config by one rename.

    python deploy/labels.py --stable=1                # one version
    python deploy/labels.py --stable=1 --canary=2     # a second version to try
    python deploy/labels.py --stable=2                # promote it; --stable=1 rolls back

A server that polls the file takes it over within seconds. It refuses a whole file that moves a
label to a version that is not loaded, and tries again at its next poll. This script needs the
standard library only, so that it runs on a machine without the package.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME = "seqclf"
BASE_PATH = f"/models/{NAME}"  # in the container
RECORD = ".labels.json"  # in the folder of the versions; python -m seqclf.export --keep reads it

# The policy is `all`, so that every version in the folder stays loaded and a label may move to any
# of them. With `latest` the server would unload the stable version when newer ones are published.
# With `specific` it would never load the version of a label that moves, because it checks the
# labels first (server_core.cc, ReloadConfig).
TEMPLATE = """\
# The models of a server and the labels of their versions: a ModelServerConfig message.
# deploy/labels.py writes this file; docs/serving.md explains it.
model_config_list {{
  config {{
    name: "{name}"
    base_path: "{base_path}"
    model_platform: "tensorflow"
    model_version_policy {{ all {{}} }}
{labels}  }}
}}
"""


def render(labels: dict[str, int]) -> str:
    """Returns the content of models.config for label → version."""
    lines = [
        f'    version_labels {{ key: "{label}" value: {version} }}\n'
        for label, version in labels.items()
    ]
    return TEMPLATE.format(name=NAME, base_path=BASE_PATH, labels="".join(lines))


def check(labels: dict[str, int], model_dir: Path) -> None:
    """Checks the versions that labels name.

    Raises:
        ValueError: a version is not in `model_dir`, or there is no such folder.
    """
    if not model_dir.is_dir():
        raise ValueError(f"--model_dir={model_dir}: no such folder.")
    for label, version in labels.items():
        if not (model_dir / str(version) / "saved_model.pb").is_file():
            names = [path.parent.name for path in model_dir.glob("*/saved_model.pb")]
            there = sorted(int(name) for name in names if name.isascii() and name.isdecimal())
            raise ValueError(
                f"--{label}={version}: {model_dir} has no such version; it has {there or 'none'}."
            )


def replace(path: Path, text: str) -> None:
    """Replaces a file; a reader sees either the old content or the new one, whole."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes it private, but the server may be another user
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def record(labels: dict[str, int], model_dir: Path, config: Path) -> None:
    """Records beside the versions which of them have labels, so that an export keeps them."""
    path = model_dir / RECORD
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        recorded = {}
    except ValueError:
        recorded = {}  # damaged: the labels of other configurations are lost, these are not
    if not isinstance(recorded, dict):
        recorded = {}
    replace(path, json.dumps({**recorded, str(config.resolve()): labels}, indent=2) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--stable", type=int, required=True, help="version that gets the label stable"
    )
    parser.add_argument("--canary", type=int, help="version that gets the label canary")
    parser.add_argument(
        "--model_dir",
        type=Path,
        # A relative path counts from this folder, as it does in Compose.
        default=(HERE / os.environ.get("MODEL_DIR", f"../models/{NAME}")).resolve(),
        help="folder of the versions (default: $MODEL_DIR, or models/seqclf)",
    )
    parser.add_argument(
        "--config", type=Path, default=HERE / "models.config", help="file to write (%(default)s)"
    )
    flags = parser.parse_args(arguments)
    labels = {"stable": flags.stable}
    if flags.canary is not None:
        labels["canary"] = flags.canary
    try:
        check(labels, flags.model_dir)
        replace(flags.config, render(labels))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    try:
        record(labels, flags.model_dir, flags.config)
    except OSError as error:
        print(f"warning: an export with --keep may remove these versions: {error}", file=sys.stderr)
    print(f"{flags.config}: " + ", ".join(f"{k} is version {v}" for k, v in labels.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
