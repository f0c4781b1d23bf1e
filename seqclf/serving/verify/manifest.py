"""The rule `manifest`: the files of a version are those that were exported."""

import hashlib
import json
from pathlib import Path

from seqclf.serving.file_names import MANIFEST
from seqclf.serving.verify.checks import Check, judge, skipped


def check_manifest(folder: Path) -> Check:
    """Compares every file with the SHA-256 that `manifest.json` has for it.

    A SavedModel of another tool has no manifest, so the rule is skipped for it.
    """
    path = folder / MANIFEST
    if not path.exists():
        return skipped("manifest", f"there is no {MANIFEST}")
    try:
        recorded = json.loads(path.read_text())["files"]
        digests = {name: entry["sha256"] for name, entry in recorded.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{MANIFEST} cannot be read ({type(error).__name__}: {error})"
        return judge("manifest", [problem], "", "export or copy the version again")
    present = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    present.pop(MANIFEST)
    problems = [f"{name} is missing" for name in sorted(digests.keys() - present.keys())]
    problems += [f"{name} is not in it" for name in sorted(present.keys() - digests.keys())]
    problems += [
        f"{name} is another file"
        for name in sorted(digests.keys() & present.keys())
        if hashlib.sha256(present[name].read_bytes()).hexdigest() != digests[name]
    ]
    found = f"{len(digests)} files are those that were exported"
    return judge("manifest", problems, found, "export or copy the version again")
