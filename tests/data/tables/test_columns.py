"""Which columns are found, what is said of it, and what is refused because several may be meant."""

import numpy as np
import pytest
from sensor_tables import read, sensors

from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError, DataError


def notes(frame, **options):
    return read(frame, None, **options).notes


def test_what_was_found_is_said():
    raw = read(sensors().rename(columns={"run": "Series", "state": "target"}), None)
    assert raw.table.id == "Series" and raw.table.time == "t" and raw.table.label == "target"
    assert raw.notes[:4] == (
        "by the names of the columns: data.id=Series, data.label=target, data.time=t",
        "data.form=long: the values of Series repeat",
        "data.features: all other numbers are features: temp, vib",
        "columns that are not read: machine (text)",
    )


def test_what_is_named_is_not_guessed():
    raw = read(
        sensors(),
        None,
        form="long",
        id="run",
        time="t",
        label="state",
        features="vib, temp",
        group="machine",
    )
    assert raw.notes == () and raw.feature_names == ("vib", "temp")


def test_a_named_feature_is_no_candidate():
    frame = sensors().rename(columns={"temp": "y", "state": "label"})
    with pytest.raises(DataError, match="y and label may each be meant: name one of them in"):
        read(frame, None)
    assert read(frame, None, features="y,vib").table.label == "label"


@pytest.mark.parametrize(
    "change, options, message",
    [
        (lambda f: f.assign(id=1), {}, "the columns run and id may each be meant: .* `data.id`"),
        (lambda f: f.assign(time=1), {}, "the columns t and time may each be meant"),
        (
            lambda f: f.drop(columns="state"),
            {"label": ""},
            "no column is called label, class, ta",
        ),
        (
            lambda f: f.drop(columns="run"),
            {},
            "set `data.form` to long, with `data.id`, or to wi",
        ),
        (
            lambda f: f.drop(columns="run"),
            {"form": "long"},
            "name it in `data.id`. The columns ar",
        ),
        (lambda f: f, {"id": "Run"}, r"no column 'Run' \(similar: run\). The columns are: run, t,"),
        (lambda f: f, {"features": "tmp,press"}, r"'tmp' \(similar: temp\), 'press'\. The columns"),
        (lambda f: f.drop(columns=["temp", "vib"]), {}, "no column of numbers is left that"),
    ],
)
def test_what_cannot_be_found_is_asked_for(change, options, message):
    with pytest.raises(DataError, match=message):
        read(change(sensors()), None, **({"label": "state"} | options))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"group": "run", "id": "run"}, "`data.id` and `data.group` must name different columns"),
        ({"features": "temp,state"}, "`data.label` and `data.features` must name different"),
        ({"features": "temp,temp"}, "`data.features` must differ. Received: temp, temp"),
        ({"form": "wide", "time": "t"}, "`data.time` is for the long form"),
    ],
)
def test_keys_that_contradict_each_other(options, message):
    with pytest.raises(ConfigError, match=message):
        read(sensors(), None, label="state", **options)


def test_time_may_be_a_feature_and_may_be_missing():
    frame = sensors()
    raw = read(frame, None, label="state", features="t,temp", time="t")
    assert raw.feature_names == ("t", "temp")
    said = notes(frame.drop(columns="t"), label="state")
    assert "no column for `data.time`: the rows of a sequence are taken in their order" in said


def test_a_column_like_a_group_is_noticed():
    frame = sensors()
    [note] = [n for n in notes(frame, label="state") if "machine: constant" in n]
    assert "set `data.group`" in note
    assert not any("constant within" in n for n in notes(frame, label="state", group="machine"))
    frame["machine"] = frame.run % 3  # a number is read, and noticed all the same
    [note] = [n for n in notes(frame, label="state") if "constant within" in n]
    assert note.endswith("; machine is read as a feature")
    frame["machine"] = np.where(frame.t == 1, "a", "b")  # varies within a sequence
    assert not any("constant within" in n for n in notes(frame, label="state"))
    frame["machine"] = frame.run  # one of its own for each
    assert not any("constant within" in n for n in notes(frame, label="state"))


def test_an_index_that_pandas_wrote_is_not_read(tmp_path):
    path = tmp_path / "a.csv"
    sensors().to_csv(path)
    dataset = load_dataset(f"csv:{path}", label="state")
    assert dataset.spec.feature_names == ("temp", "vib")
    assert "columns that are not read: '' (numbers), machine (text)" in dataset.notes


def test_a_constant_feature_is_said_and_an_empty_one_refused():
    frame = sensors()
    said = load_dataset(frame.assign(vib=2.5), label="state").notes
    assert [note.endswith("can learn nothing: vib") for note in said].count(True) == 1
    with pytest.raises(DataError, match="no row has a value in the column vib. Leave it out"):
        read(frame.assign(vib=np.nan), None, label="state")
