"""`predict` of new tables, by the columns of the training table; the reference is pandas's."""

import numpy as np
import pandas as pd
import pytest

import seqclf
from seqclf.config import Config, ModelConfig
from seqclf.errors import DataError


def frame(count=40, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        for t in range(rng.integers(2, 6)):
            state = ("calm", "busy")[i % 2]
            values = rng.normal(size=2).astype(np.float32)
            rows.append((f"run {i}", t, *map(float, values), state))
    return pd.DataFrame(rows, columns=["run", "t", "temp", "vib", "state"])


@pytest.fixture(scope="module")
def trained():
    dataset = seqclf.load_dataset(frame(), id="run", time="t", label="state")
    model = seqclf.build_classifier(Config(model=ModelConfig(units=(5,))), dataset.spec)
    return model, dataset.spec


@pytest.mark.parametrize("form", ["frame", "csv", "parquet"])
def test_a_new_table(trained, tmp_path, capsys, form):
    model, spec = trained
    new = frame(9, seed=1).drop(columns="state")[["vib", "run", "temp", "t"]]
    groups = new.groupby("run", sort=False)
    wanted = seqclf.predict(
        model, [group[["temp", "vib"]].to_numpy() for _, group in groups], spec=spec
    )
    given = new
    if form == "csv":
        new.to_csv(given := tmp_path / "new.csv", index=False)
    elif form == "parquet":
        new.to_parquet(given := str(tmp_path / "new.parquet"))
    predicted = seqclf.predict(model, given, spec=spec)
    np.testing.assert_allclose(predicted.probabilities, wanted.probabilities, rtol=1e-6)
    assert predicted.ids.tolist() == [name for name, _ in groups]
    assert wanted.ids is None
    assert "no column 'state': the true classes are not known" in capsys.readouterr().err


def test_tables_that_do_not_fit(trained, tmp_path):
    model, spec = trained
    with pytest.raises(DataError, match="vib"):
        seqclf.predict(model, frame().drop(columns="vib"), spec=spec)
    arrays = seqclf.Dataset.from_arrays(np.random.default_rng(0).normal(size=(40, 6)), [0, 1] * 20)
    model = seqclf.build_classifier(Config(model=ModelConfig(units=(5,))), arrays.spec)
    with pytest.raises(DataError, match="trained on arrays.*Received: DataFrame"):
        seqclf.predict(model, frame(), spec=arrays.spec)
    with pytest.raises(DataError, match="Received: 'new.csv'"):
        seqclf.predict(model, "new.csv", spec=arrays.spec)
