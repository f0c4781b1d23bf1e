"""The rule `manifest`: the files of a version are those that were exported."""

from pathlib import Path

from seqclf.serving.file_digests import changed_files, recorded_digests
from seqclf.serving.file_names import MANIFEST
from seqclf.serving.verify.checks import Check, judge, skipped


def check_manifest(folder: Path) -> Check:
    """Compares every file with the SHA-256 that `manifest.json` has for it.

    A SavedModel of another tool has no manifest, so the rule is skipped for it.
    """
    remedy = "export or copy the version again"
    try:
        digests = recorded_digests(folder)
    except ValueError as error:
        return judge("manifest", [str(error)], "", remedy)
    if digests is None:
        return skipped("manifest", f"there is no {MANIFEST}")
    present = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    present.remove(MANIFEST)
    problems = [f"{name} is missing" for name in sorted(digests.keys() - present)]
    problems += [f"{name} is not in it" for name in sorted(present - digests.keys())]
    changed = changed_files(folder, digests, sorted(digests.keys() & present))
    problems += [f"{name} is another file" for name in changed]
    return judge("manifest", problems, f"{len(digests)} files are those that were exported", remedy)
