"""Files that users may give by mistake: arrays of any kind, and content that is damaged."""

import io
import json
import zipfile

import numpy as np
from hypothesis import strategies as st

SPECIAL = [0, 1, -1, 255, 1e30, 1e300, np.nan, np.inf, -np.inf]
DTYPES = ["f2", "f4", "f8", "i1", "i4", "i8", "u1", "u8", "?", "c8", "U3", "S3", "M8[s]", "O", "V4"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def damaged(content):
    """Strategy for bytes that come of damaging a content, or have nothing to do with it."""
    place = st.integers(0, max(len(content) - 1, 0))
    return st.one_of(
        place.map(lambda at: content[:at]),
        st.tuples(place, st.binary(min_size=1, max_size=8)).map(
            lambda change: content[: change[0]] + change[1] + content[change[0] + len(change[1]) :]
        ),
        st.tuples(place, st.binary(min_size=1, max_size=8)).map(
            lambda change: content[: change[0]] + change[1] + content[change[0] :]
        ),
        st.tuples(place, place).map(lambda ends: content[: min(ends)] + content[max(ends) :]),
        st.binary(max_size=64),
    )


@st.composite
def damaged_json(draw, text):
    """Strategy for a JSON text in which one value is another one, or is missing."""
    document = json.loads(text)
    parent, key, at = None, None, document
    while isinstance(at, dict | list) and at and (parent is None or draw(st.booleans())):
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        parent, key = at, draw(st.sampled_from(keys))
        at = parent[key]
    if parent is None:
        return json.dumps(draw(JSON))
    if draw(st.booleans()):
        del parent[key]
    else:
        parent[key] = draw(JSON)
    return json.dumps(document)


@st.composite
def damaged_zip(draw, content):
    """Strategy for a zip archive in which one file is damaged, while all checksums are right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = draw(st.sampled_from(sorted(files)))
    if name.endswith(".json"):
        files[name] = draw(damaged_json(files[name])).encode()
    elif draw(st.integers(0, 9)):
        files[name] = draw(damaged(files[name]))
    else:
        del files[name]
    return zipped(files)


def zipped(files):
    """Returns the bytes of a zip archive of files, name → content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@st.composite
def arrays(draw, shape=None):
    """Strategy for an array of any type, of a given shape or of a small one."""
    if shape is None or draw(st.integers(0, 3)) == 0:
        shape = tuple(draw(st.lists(st.integers(0, 7), max_size=4)))
    values = np.zeros(shape)
    if values.size:
        values.flat[draw(st.integers(0, values.size - 1))] = draw(st.sampled_from(SPECIAL))
    with np.errstate(all="ignore"):
        return values.astype(draw(st.sampled_from(DTYPES if draw(st.booleans()) else ["f4", "u1"])))


@st.composite
def npz_contents(draw, shape):
    """Strategy for the content of an `.npz` file, about one in two with `x` of the given shape."""
    chosen = {"x": draw(arrays(shape))}
    if draw(st.booleans()):
        lengths = draw(st.lists(st.integers(-1, 9), min_size=shape[0], max_size=shape[0]))
        chosen["lengths"] = draw(st.just(np.array(lengths)) | arrays())
    if draw(st.integers(0, 3)) == 0:
        chosen[draw(st.sampled_from(["x", "y", "z", "class_names", "lengths"]))] = draw(arrays())
    buffer = io.BytesIO()
    np.savez(buffer, **chosen)
    content = buffer.getvalue()
    return draw(st.just(content) | damaged(content)) if draw(st.booleans()) else content
