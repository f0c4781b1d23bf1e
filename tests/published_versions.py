"""Versions of a model that hold nothing, for tests of how they are published."""

from seqclf.serving.publish import publish, staging


def write(folder, size=1000):
    (folder / "variables").mkdir()
    (folder / "variables" / "data").write_bytes(b"x" * size)
    (folder / "saved_model.pb").write_bytes(b"y" * size)


def export(models, **options):
    with staging(models) as folder:
        write(folder)
        return publish(folder, models, **options)
