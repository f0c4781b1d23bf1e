"""The table of `predict --out`, read back by pandas and polars."""

import io

import numpy as np
import pandas as pd
import polars as pl
import pytest

from seqclf.serving.predicting import table_out
from seqclf.serving.predicting.batches import Batch
from seqclf.serving.predicting.rows import rows_of
from seqclf.serving.predicting.table_out import PredictionTable, probability_columns

NAMES = ("calm", 'busy, "very"', "=1+1")
IDS = ['a,"b"', "line\nbreak", "", "größe", "5"]
LABELS = ["calm", None, "=1+1", "no class", 'busy, "very"']
READ = {".csv": pd.read_csv, ".parquet": pd.read_parquet}


def outputs(count, seed=0):
    p = np.random.default_rng(seed).dirichlet(np.ones(3), count).astype("float32")
    return {"probabilities": p, "class_index": p.argmax(1).astype("int32")}


def written(ending, labelled, batches):
    file = io.BytesIO()
    table = PredictionTable(file, ending, NAMES, labelled)
    for ids, labels, answer in batches:
        table.write(rows_of(Batch("serving_default", {}, ids, labels), answer))
    table.close()
    return io.BytesIO(file.getvalue())


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_row_for_each_example(ending):
    answer = outputs(5)
    file = written(ending, True, [(IDS, LABELS, answer)])
    frame = READ[ending](file, **({"keep_default_na": False} if ending == ".csv" else {}))
    columns = [f"p_{name}" for name in NAMES]
    assert list(frame) == ["id", "class", "probability", *columns, "label", "correct"]
    assert frame["id"].tolist() == IDS
    index = answer["class_index"]
    assert frame["class"].tolist() == [NAMES[i] for i in index]
    np.testing.assert_array_equal(frame[columns].to_numpy("float32"), answer["probabilities"])
    np.testing.assert_array_equal(
        frame["probability"].to_numpy("float32"), answer["probabilities"].max(1)
    )
    polars = (pl.read_csv if ending == ".csv" else pl.read_parquet)(file.getvalue())
    right = [LABELS[i] == NAMES[k] if LABELS[i] in NAMES else None for i, k in enumerate(index)]
    assert right.count(None) == 2 and {True, False} <= set(right)
    assert polars["correct"].to_list() == right
    assert polars["label"].to_list() == LABELS


def test_without_labels_there_are_no_columns_for_them():
    frame = pd.read_csv(written(".csv", False, [(["a"], [None], outputs(1))]))
    assert list(frame)[-1] == "p_=1+1"


def test_many_batches_are_few_row_groups(monkeypatch):
    monkeypatch.setattr(table_out, "ROW_GROUP", 100)
    batches = [([f"{i}.{j}" for j in range(30)], [None] * 30, outputs(30, i)) for i in range(12)]
    file = written(".parquet", False, batches)
    import pyarrow.parquet

    assert pyarrow.parquet.ParquetFile(file).num_row_groups == 3
    assert pd.read_parquet(file)["id"].tolist() == [i for ids, _, _ in batches for i in ids]


def test_columns_differ_whatever_the_classes_are_called():
    assert probability_columns(["a", "a", "a_2", "a"]) == ["p_a", "p_a_2", "p_a_2_2", "p_a_3"]
