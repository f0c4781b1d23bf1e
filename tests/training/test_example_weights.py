"""Weights of classes and of examples in the loss, against Keras, PyTorch and scikit-learn."""

import keras
import numpy as np
import pytest
from numbered_shards import numbered
from sklearn.utils.class_weight import compute_sample_weight

import seqclf
from seqclf import build_classifier
from seqclf.config import Config, ModelConfig, OptimizerConfig, resolve, to_json
from seqclf.config.class_weights import class_weight_text, class_weights_by_name
from seqclf.config.convert import from_json
from seqclf.data.pipeline import ExampleWeights, training_batches
from seqclf.data.shards.convert import open_source
from seqclf.data.shards.split import StreamedSplit
from seqclf.errors import ConfigError, DataError
from seqclf.experiment.announcement import training_in_words
from seqclf.storage.run_directory import Run
from seqclf.training.distribution.workers import Workers
from seqclf.training.effective import check_fits_data
from seqclf.training.example_weights import example_weights
from seqclf.training.loop import fit
from seqclf.training.optimizers import build_optimizer
from seqclf.training.step import TrainStep

RNG = np.random.default_rng(5)
LABELS = np.array(["fault", "odd", *["ok"] * 6] * 10)


def dataset(**options):
    x = RNG.normal(size=(80, 4, 2))
    return seqclf.Dataset.from_arrays(x, LABELS, **options)


def config(**changes):
    return Config(
        model=ModelConfig(units=(5,)),
        optimizer=OptimizerConfig(name="sgd", schedule="constant", momentum=0.0, clip_norm=0.0),
        batch_size=8,
        **changes,
    )


def of_train(chosen, data):
    """The weight of each training example, as the pipeline hands it out."""
    weights = example_weights(chosen, data)
    order = np.arange(len(data.train))
    return np.asarray(weights.of(order, data.train.y))


def test_balanced_weights_are_those_of_scikit_learn():
    data = dataset()
    found = of_train(config(class_weight="balanced"), data)
    np.testing.assert_allclose(found, compute_sample_weight("balanced", data.train.y), rtol=1e-6)
    assert found.mean() == pytest.approx(1)


def test_named_weights_times_own_weights_have_the_mean_1():
    own = RNG.uniform(0, 3, 80)
    data = dataset(weights=own)
    found = of_train(config(class_weight={"fault": 5, "odd": 2}), data)
    expected = data.train.weights * np.array([5.0, 2.0, 1.0])[data.train.y]
    np.testing.assert_allclose(found, expected / expected.mean(), rtol=1e-5)
    balanced = of_train(config(class_weight="balanced"), data)
    sums = np.bincount(data.train.y, balanced)
    np.testing.assert_allclose(sums, sums.mean(), rtol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [{"jit_compile": False}, {"shares": 3}, {"jit_compile": False, "nonfinite": "skip"}],
)
def test_a_step_has_the_gradient_of_keras_weighted_loss(changes):
    data = dataset()
    chosen = config(**changes)
    keras.utils.set_random_seed(0)
    model = build_classifier(chosen, data.spec)
    before = model.get_weights()
    x = RNG.normal(size=(6, 4, 2)).astype("float32")
    y, weights = np.array([0, 1, 2, 2, 1, 0], np.int32), np.float32([3, 0, 1, 0.5, 2, 0.25])
    peer = keras.Sequential(
        [keras.Input((4, 2)), keras.layers.GRU(5, use_cudnn=False), keras.layers.Dense(3)]
    )
    peer.set_weights(before)
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="sum_over_batch_size"
    )
    peer.compile(keras.optimizers.SGD(0.005), loss)
    expected = peer.train_on_batch(x, y, sample_weight=weights)
    step = TrainStep(model, build_optimizer(chosen, 10), chosen)
    tensors = [keras.ops.convert_to_tensor(each) for each in (x, y, weights)]
    result = step(tensors[0], tensors[1], 0.0, tensors[2])
    assert float(result.loss) == pytest.approx(float(expected), rel=1e-5)
    moved = [ours - old for ours, old in zip(model.get_weights(), before, strict=True)]
    wanted = [theirs - old for theirs, old in zip(peer.get_weights(), before, strict=True)]
    assert max(np.abs(each).max() for each in wanted) > 1e-4
    for ours, theirs in zip(moved, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-7)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_row_of_a_batch_has_the_weight_of_its_example(workers):
    own = np.arange(1.0, 81.0)
    x = np.tile(own[:, None, None], (1, 4, 1))  # an example holds its own weight
    data = seqclf.Dataset.from_arrays(x, LABELS, weights=own, normalize="none")
    weights = example_weights(config(class_weight="fault:3"), data)
    per_class = weights.per_class / weights.per_class[1]
    np.testing.assert_allclose(per_class, [3, 1, 1], rtol=1e-6)
    for worker in range(workers):
        batches = training_batches(
            data.train, data.spec, 8, 0, worker=worker, workers=workers, weights=weights
        )
        for inputs, y, w in batches.take(3):
            assert w.shape == (8 // workers,)
            expected = inputs.numpy()[:, 0, 0] * weights.per_class[y.numpy()]
            np.testing.assert_allclose(w, expected, rtol=1e-6)


def test_weights_are_said_before_the_first_step():
    data = dataset()
    said = training_in_words(config(class_weight="balanced"), data, 10, Workers())
    fault, odd, ok = 57 / (3 * np.bincount(data.train.y))
    assert f"weights in the loss: classes fault {fault:.3g}, odd {odd:.3g}, ok {ok:.3g}\n" in said
    assert "weights in the loss" not in training_in_words(config(), data, 10, Workers())


def test_weights_are_a_part_of_the_data():
    x = np.zeros((80, 3, 1)) + np.arange(3)[:, None] * np.ones((80, 3, 1))
    plain, weighed = (
        seqclf.Dataset.from_arrays(x, LABELS, weights=weights) for weights in (None, np.ones(80))
    )
    assert plain.fingerprint() != weighed.fingerprint()
    windows = seqclf.Dataset.from_arrays(
        np.zeros((80, 4, 1)) + RNG.normal(size=(80, 4, 1)), LABELS, weights=np.arange(80), window=2
    )
    recordings = [int(name.partition(":")[0]) for name in windows.train.ids]
    np.testing.assert_array_equal(windows.train.weights, recordings)


def test_npz_files_have_weights_which_shards_have_not(tmp_path):
    path = tmp_path / "a.npz"
    weights = RNG.uniform(0, 1, 80).astype("float32")
    np.savez(path, x=RNG.normal(size=(80, 4, 1)), y=LABELS, weights=weights, ids=np.arange(80))
    data = seqclf.load_dataset(f"npz:{path}")
    np.testing.assert_array_equal(data.train.weights, weights[data.train.ids.astype(int)])
    with pytest.raises(DataError, match="Shards hold no weights"):
        open_source(f"npz:{path}")


def test_the_labels_of_shards_are_read_once(tmp_path, monkeypatch):
    shards = numbered(tmp_path / "shards", 20, 2)
    read, ordered = [], StreamedSplit.ordered

    def counted(split, *args):
        read.append(split.name)
        return ordered(split, *args)

    monkeypatch.setattr(StreamedSplit, "ordered", counted)
    chosen = config(class_weight="balanced")
    first, second = (example_weights(chosen, shards) for _ in range(2))
    np.testing.assert_array_equal(first.per_class, second.per_class)
    assert read == ["train"]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(79), r"`weights` must be 80 numbers, one for each .* Received: .*\[79\]"),
        (["a"] * 80, "`weights` must be 80 numbers"),
        ([1.0] * 79 + [-2], "numbers of 0 or more.* the weight 0. Received: -2.0 at example 79"),
        ([np.nan] + [1.0] * 79, "numbers of 0 or more.* Received: nan at example 0"),
    ],
)
def test_wrong_weights_of_examples_are_refused(weights, message):
    with pytest.raises(DataError, match=message):
        dataset(weights=weights)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ok:-1", "a number of 0 or more for each class. Received: -1 for class 'ok'"),
        ("ok:nan", "a number of 0 or more for each class"),
        ("ok", "none, balanced, or each class once with its weight"),
        ("ok:1,ok:2", "each class once"),
        ("ok:much", "each class once"),
        ("{ok", "each class once"),
        ("", "each class once"),
    ],
)
def test_wrong_weights_of_classes_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        config(class_weight=text)


def test_weights_that_do_not_go_with_data_or_config_are_refused():
    data = dataset()
    with pytest.raises(ConfigError, match="'fault', 'odd', 'ok'. Received: 'okay'"):
        check_fits_data(config(class_weight="okay:2"), data)
    with pytest.raises(ConfigError, match="`batch_selection` chooses examples by their loss"):
        check_fits_data(config(class_weight="balanced", batch_selection=2), data)
    with pytest.raises(DataError, match="Every training example has the weight 0"):
        check_fits_data(config(), dataset(weights=np.zeros(80)))
    with pytest.raises(DataError, match="only examples of weight 0 in class 'odd'"):
        check_fits_data(config(class_weight="balanced"), dataset(weights=LABELS != "odd"))


def test_a_dictionary_becomes_the_text_and_is_read_back():
    assert config(class_weight={"ok": 1, "fault": 5.5}).class_weight == "ok:1,fault:5.5"
    nested = resolve({"class_weight": {"ok": 1, "a:b, c": 2}})
    assert from_json(to_json(nested)) == nested
    assert class_weights_by_name(nested.class_weight) == {"ok": 1, "a:b, c": 2}
    assert class_weights_by_name(" a : 1 , b:2") == {"a": 1, "b": 2}
    assert class_weight_text({3: 1}) == "3:1"


def test_examples_without_weights_of_their_own_have_those_of_their_class():
    weights = ExampleWeights(np.float32([2, 3]))
    np.testing.assert_array_equal(weights.of(np.arange(3), np.array([1, 0, 1])), [3, 2, 3])


def test_a_whole_training_takes_weights(tmp_path):
    """The model learns nothing from examples of a class with the weight 0."""
    data = dataset()
    chosen = config(class_weight="fault:0,odd:0", steps=2, jit_compile=False)
    run = Run(tmp_path / "run")
    run.prepare(chosen)
    head = fit(chosen, data, run).model.get_weights()[-1]  # the bias of each class
    assert head[2] > 0 > max(head[:2])
