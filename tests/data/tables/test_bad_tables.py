"""Tables that cannot be read: one message that names the file, the line and what to do."""

import gzip

import numpy as np
import pyarrow as pa
import pytest
from sensor_tables import sensors

from seqclf.data.sources import load_dataset
from seqclf.data.tables import csv_table
from seqclf.errors import DataError

FRAME = sensors(40, least=5, most=5)
LINES = FRAME.to_csv(index=False).splitlines()


def text(frame=FRAME, **options):
    return frame.to_csv(index=False, **options)


def put(column, value, row=58):
    frame = FRAME.astype(object)
    frame.loc[row, column] = value
    return text(frame)


def line(number, change):
    return "\n".join(change(each) if i == number else each for i, each in enumerate(LINES, 1))


def commas(separator=";"):
    return text().replace(",", separator).replace(".", ",")


def load(tmp_path, content, **options):
    path = tmp_path / "bad.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_dataset(f"csv:{path}", **({"label": "state"} | options))


@pytest.mark.parametrize(
    "content, options, message",
    [
        (text(sep=";"), {}, "only one column, 'run;t;temp;vib;state;machine'. .* to ';'"),
        (text(sep="\t"), {}, "separated by tab: set `data.separator` to tab"),
        (commas(), {}, "set `data.separator` to ';'"),
        (commas(), {"separator": ";"}, "line 2: the column 'temp' .*: set `data.decimal` to ','"),
        (commas(), {"separator": ";", "features": "vib"}, "line 2: .*set `data.decimal` to ','"),
        (put("t", 1), {}, "line 60: the sequence '11' has this time in 't' already"),
        (put("t", 2), {}, "line 60: the sequence '11' has this time in 't' already"),
        (put("state", "ok"), {}, "line 60: the label .* Received: 'ok' after 'worn' in 'state' of"),
        (
            put("state", "ok"),
            {},
            r"set `data.label_per_step`; .* windows \(`data.window`\)",
        ),
        (put("machine", "m9"), {"group": "machine"}, "line 60: the group must be the same"),
        (put("state", ""), {}, r"line 60 has nothing in the column 'state' \(`data.label`\). Fill"),
        (put("run", ""), {}, r"line 60 has nothing in the column 'run' \(`data.id`\)"),
        (put("t", ""), {}, r"line 60 has no time in the column 't' \(`data.time`\)"),
        (put("t", "noon"), {}, "line 60: .* 't' .* must hold numbers, or dates .*'noon'"),
        (put("t", "9999-12-31"), {}, "line 60: .* must hold numbers, or dates"),
        ("run,t,v,state\na,2024-01-01,1,x\na,9999-12-31,2,x\n", {}, "line 3: .* 1678 and 2261"),
        (put("temp", "1,000"), {"features": "temp"}, "line 60: .*If the comma marks thousands"),
        ("run,t,v,state\na,1,1,x\na,2, ,x\na,3,2,x\n", {}, "line 3: the column 'v' .*' '"),
        (put("temp", "broken"), {}, "line 60: the column 'temp' must hold numbers.*'broken'. Corr"),
        (put("temp", "broken"), {"features": "temp"}, "line 60: the column 'temp' must hold numbe"),
        (put("temp", "2024-05-01"), {"features": "temp"}, "line 60: .*A date cannot be a feature"),
        (put("temp", "inf"), {}, "line 60: the values of the column 'temp' must be finite"),
        (put("temp", "1e300"), {}, "line 60: .*must be finite in float32. Received: 1e.300"),
        (put("temp", "NA"), {}, r"1 value is missing \(NaN\), .*temp 1 of 200. Fill them in, or"),
        (text(FRAME.assign(vib="2024-05-01")), {"features": "vib"}, "line 2: .*A date cannot be"),
        (text(FRAME.assign(t="01.05.2024")), {}, "line 2: .*ISO 8601 .* Received: '01.05.2024'"),
        ("", {}, "bad.csv: the file is empty"),
        ("\n\n", {}, "bad.csv: the file is empty"),
        (LINES[0], {}, "has a header and no rows"),
        (LINES[0] + "\n", {}, "has a header and no rows"),
        (
            text(FRAME[:5]),
            {},
            "two classes or more. Received: 'ok' in all rows of the column 'st",
        ),
        (text(FRAME.assign(state="ok")), {}, r"two classes or more.*\(sequences: 40\)"),
        (line(40, lambda each: each + ",5"), {}, "line 40 has 7 values and the header 6. Received"),
        (
            line(40, lambda each: "7,1"),
            {},
            "line 40 has 2 values and the header 6. Received: '7,1'",
        ),
        (
            line(40, lambda each: each.replace(",", ',"', 1)),
            {},
            "line 40 .*each quote must be closed",
        ),
        (line(1, lambda each: "run,t,temp,temp,state,m"), {}, "'temp' more than once. Rename or"),
        ("\n".join(LINES[1:]), {}, "the first line must be a header"),
        (
            text().replace("ok", "\xfc").encode("latin1"),
            {},
            "line 2 .byte .* not UTF-8.*0xfc.*iconv",
        ),
        (text().replace("vib", "\xfc").encode("latin1"), {}, "line 1 .byte 11 of.* is not UTF-8"),
        (
            line(60, lambda e: e.replace("worn", "w\xf6")).encode("latin1"),
            {},
            "line 60 .*not UTF",
        ),
        (text().encode("utf-16"), {}, "line 1 holds a zero byte. It is UTF-16: .*iconv -f UTF-16"),
        (line(60, lambda each: each + "\0"), {}, "line 60 holds a zero byte"),
        (
            b"PK\x03\x04" + bytes(99),
            {},
            "no CSV file: it is an Excel file .* save the sheet as C",
        ),
        (b"\xd0\xcf\x11\xe0" + bytes(99), {}, "it is an old Excel file"),
        (gzip.compress(text().encode())[:300], {}, "damaged or truncated .*Copy or write it again"),
    ],
)
def test_one_message(tmp_path, content, options, message):
    with pytest.raises(DataError, match=message) as raised:
        load(tmp_path, content, **options)
    said = str(raised.value)
    assert said.startswith(str(tmp_path / "bad.csv")) and "\n" not in said


@pytest.mark.parametrize(
    "content, options",
    [
        (b"\xef\xbb\xbf" + text().encode(), {}),
        (gzip.compress(text().encode()), {}),
        (text().replace("\n", "\r\n"), {}),
        (text().replace("\n", "\n\n"), {}),
        (text().replace(",", ", "), {}),
        (text(sep="\t"), {"separator": "tab"}),
        (commas(), {"separator": ";", "decimal": ","}),
        (text(FRAME.assign(machine="a\nb")), {}),
        (text(FRAME.assign(machine='a "quoted", one')), {}),
    ],
)
def test_what_just_works(tmp_path, content, options):
    want = load(tmp_path, text())
    got = load(tmp_path, content, **options)
    np.testing.assert_array_equal(got.train.x, want.train.x)
    assert got.spec.class_names == want.spec.class_names


def test_lines_are_counted_in_shuffled_tables(tmp_path):
    rows = FRAME.sample(frac=1, random_state=0)
    own = np.flatnonzero(rows.run == 11)
    changed = rows.reset_index(drop=True)
    changed.loc[own[3], "state"] = "ok"
    with pytest.raises(DataError, match=f"line {own[3] + 2}: the label must be the same"):
        load(tmp_path, text(changed))
    changed = rows.reset_index(drop=True)
    changed.loc[own[3], "t"] = changed.loc[own[1], "t"]
    with pytest.raises(DataError, match=f"line {own[3] + 2}: the sequence '11' has this time"):
        load(tmp_path, text(changed))


def test_a_class_only_in_test_is_refused(tmp_path):
    frame = FRAME.assign(split=np.where(FRAME.run < 30, "train", "test"))
    frame.loc[frame.run >= 35, "state"] = "new"
    with pytest.raises(DataError, match="5 in test and none in train of class 'new'. Move some"):
        load(tmp_path, text(frame))


def test_an_empty_sequence_and_two_rows_of_one_id_in_the_wide_form(tmp_path):
    rows = "".join(f"{i},{'ab'[i % 2]},1,2\n" for i in range(40))
    with pytest.raises(DataError, match="line 42: the sequence is empty"):
        load(tmp_path, f"id,label,s0,s1\n{rows}40,a,,\n", label="")
    with pytest.raises(DataError, match="line 42: the id '7' is there already.*set `data.form`"):
        load(tmp_path, f"id,label,s0,s1\n{rows}7,a,1,2\n", label="", form="wide")


def test_lines_longer_than_a_block_are_read_and_endless_ones_refused(tmp_path, monkeypatch):
    long = FRAME.assign(machine=["x" * (5000 if i % 50 == 9 else 1) for i in range(len(FRAME))])
    want = load(tmp_path, text())
    monkeypatch.setattr(csv_table, "BLOCK_BYTES", 1000)
    np.testing.assert_array_equal(load(tmp_path, text(long)).train.x, want.train.x)
    late = FRAME.assign(machine=["x" * (5000 if i == 150 else 1) for i in range(len(FRAME))])
    (tmp_path / "late.csv").write_text(text(late))
    table = csv_table.CsvTable(tmp_path / "late.csv", ",", ".", packed=False)
    # The long line is found when blocks before it have been read already.
    batches = table.batches({"run": pa.string()})
    runs = [run for batch in batches for run in batch.column("run").to_pylist()]
    assert runs == FRAME.run.astype(str).tolist()
    monkeypatch.setattr(csv_table, "LONGEST_LINE", 2000)
    with pytest.raises(DataError, match="a line is longer than .*Each row must be a line"):
        load(tmp_path, text(long))


def test_other_files(tmp_path):
    path = tmp_path / "a.csv"
    FRAME.to_parquet(path)
    with pytest.raises(DataError, match="it is a Parquet file: use parquet:"):
        load_dataset(f"csv:{path}")
    path.write_text(text())
    with pytest.raises(DataError, match="no Parquet file: .* If it is text, use csv:"):
        load_dataset(f"parquet:{path}")
    with pytest.raises(DataError, match="a folder. Name one file"):
        load_dataset(f"csv:{tmp_path}")
    with pytest.raises(DataError, match="no such file in .* There is 'a.csv'"):
        load_dataset(f"csv:{tmp_path / 'b.csv'}")
    FRAME.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="damaged or no Parquet file"):
        load_dataset(f"parquet:{path}")


def test_a_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.csv").write_text(text())
    assert load_dataset("csv:~/a.csv", label="state").spec.num_classes == 2


def test_rows_of_parquet_and_of_frames_are_named(tmp_path):
    frame = FRAME.assign(temp=["x" if i == 58 else "1.5" for i in range(len(FRAME))])
    frame.to_parquet(tmp_path / "a.parquet")
    for source in (f"parquet:{tmp_path / 'a.parquet'}", frame):
        with pytest.raises(DataError, match="row 58 holds 'x' in the column 'temp'"):
            load_dataset(source, label="state", features="temp")
    mixed = FRAME.astype(object).assign(temp=[i if i else "a" for i in range(len(FRAME))])
    with pytest.raises(DataError, match="a column holds values of several types"):
        load_dataset(mixed, label="state")


def test_lines_count_blank_ones_and_breaks_in_quotes(tmp_path):
    lines = put("temp", "broken").splitlines()
    lines[10] += "\n\n"
    lines[20] = lines[20].replace("m", '"m\n') + '"'
    with pytest.raises(DataError, match="line 63: the column 'temp' must hold numbers"):
        load(tmp_path, "\n".join(lines))
