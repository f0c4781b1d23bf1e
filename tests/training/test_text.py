"""Training on text: the gradient, the carried state, exact resume, and the scores."""

import numpy as np
import pytest
import tensorflow as tf
from resuming import assert_a_stop_changes_no_bit

import seqclf
from seqclf.config import resolve
from seqclf.data.pipeline import training_batches
from seqclf.data.text.split import TextSplit
from seqclf.errors import ConfigError
from seqclf.models.language_model import advance, zero_state
from seqclf.training.distribution.workers import Workers
from seqclf.training.effective import check_fits_data, effective_config
from seqclf.training.loop import build
from seqclf.training.optimizers import build_optimizer
from seqclf.training.passes import SharePasses, choose_passes
from seqclf.training.step import TrainStep
from seqclf.training.text_evaluation import CONTEXT, PIECE, TextScorer

RNG = np.random.default_rng(7)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    words = np.array(["to", "be", "or", "not", "that", "is", "the", "question"])
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(" ".join(RNG.choice(words, 900)))
    return f"text:{file}"


def config(source, **changes):
    data = {"source": source, "window": 6, **changes.pop("data", {})}
    model = {"units": [7], **changes.pop("model", {})}
    return resolve(
        {
            **{"batch_size": 6, "steps": 24, "validate_every": 8, "checkpoint_every": 5},
            **{"data": data, "model": model, "optimizer": {"name": "sgd", "momentum": 0.0}},
            **{"jit_compile": False, **changes},
        }
    )


def trained_step(chosen, dataset):
    model = build(chosen, dataset.spec)
    optimizer = build_optimizer(chosen, chosen.steps)
    optimizer.build(model.trainable_variables)
    return model, TrainStep(model, optimizer, chosen)


@pytest.mark.parametrize("windows", ["consecutive", "random"])
@pytest.mark.parametrize("shares", [1, 2])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_steps_are_those_written_out(source, windows, shares, jit_compile):
    """Three steps of gradient descent equal those of a tape over mean cross-entropy in Keras."""
    optimizer = {"name": "sgd", "momentum": 0.0, "learning_rate": 0.5, "schedule": "constant"}
    chosen = config(
        source,
        data={"windows": windows},
        optimizer={**optimizer, "clip_norm": 0.0},
        shares=shares,
        jit_compile=jit_compile,
    )
    dataset = seqclf.load_dataset(**chosen.data.to_dict())
    model, step = trained_step(chosen, dataset)
    peer = build(chosen, dataset.spec)
    state = zero_state(peer, 6)
    for x, y in training_batches(dataset.train, dataset.spec, 6, chosen.seed).take(3):
        with tf.GradientTape() as tape:
            logits, after = advance(peer, x["tokens"], state, training=True)
            loss = tf.reduce_mean(
                tf.keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
            )
        for variable, gradient in zip(
            peer.trainable_variables,
            tape.gradient(loss, peer.trainable_variables),
            strict=True,
        ):
            variable.assign_sub(0.5 * gradient)
        state = after if windows == "consecutive" else zero_state(peer, 6)
        result = step(x, y)
        assert float(result.loss) == pytest.approx(float(loss), rel=1e-5)
        right = np.argmax(logits, -1) == y.numpy()
        assert int(result.correct) == right.sum()
        carried = step.carried.variables
        assert len(carried) == (windows == "consecutive")
        for variable, expected in zip(carried, state, strict=False):
            np.testing.assert_allclose(variable, expected, rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(model.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"units": [7, 5], "dropout": 0.3, "embedding": 4, "weight_drop": 0.2}},
        {"model": {"cell": "lstm"}, "nonfinite": "skip"},
        {"data": {"windows": "random", "tokens": "words"}},
    ],
)
def test_a_stop_changes_no_bit(source, changes, tmp_path):
    chosen = config(source, **changes)
    dataset = seqclf.load_dataset(**chosen.data.to_dict())
    assert_a_stop_changes_no_bit(chosen, dataset, tmp_path, 9)


def test_masks_depend_on_seed_and_step_alone(source):
    options = {"dropout": 0.4, "embedding": 30, "embedding_dropout": 0.2}
    chosen = config(source, model=options)
    dataset = seqclf.load_dataset(**chosen.data.to_dict())
    _, step = trained_step(chosen, dataset)
    batch = {"tokens": tf.zeros([6, 6], tf.int32), "goes_on": tf.zeros([6], tf.int32)}
    first = step.carried.inputs(batch)["masks"]
    assert [mask.shape.as_list() for mask in first] == [[6, 30], [6, 7]]
    assert {0.0, np.float32(1 / 0.8)} == set(np.unique(first[0]))
    assert {0.0, np.float32(1 / 0.6)} == set(np.unique(first[1]))
    assert 0.1 < float(tf.reduce_mean(tf.cast(first[0] == 0, tf.float32))) < 0.35
    for a, b in zip(first, step.carried.inputs(batch)["masks"], strict=True):
        np.testing.assert_array_equal(a, b)
    step(batch, tf.zeros([6, 6], tf.int32))
    assert not np.array_equal(first[0], step.carried.inputs(batch)["masks"][0])


@pytest.mark.parametrize(("jit_compile", "cell"), [(True, "gru"), (False, "lstm")])
def test_weight_drop_is_a_model_with_other_recurrent_kernels(source, jit_compile, cell):
    """The gradient is that of a model whose kernels are the products, times the masks."""
    chosen = config(
        source,
        model={"weight_drop": 0.3, "units": [7, 5], "cell": cell},
        shares=2,
        jit_compile=jit_compile,
    )
    dataset = seqclf.load_dataset(**chosen.data.to_dict())
    model, step = trained_step(chosen, dataset)
    (x, y), *_ = training_batches(dataset.train, dataset.spec, 6, 0).take(1)
    inputs = step.carried.inputs(x)
    masks = [np.asarray(mask) for mask in inputs["kernel_masks"]]
    assert [np.unique(mask).tolist() for mask in masks] == [[0, np.float32(1 / 0.7)]] * 2
    passes = choose_passes(model, build_optimizer(chosen, 9), chosen, Workers())
    losses, gradients = passes.losses_and_gradients(inputs, y)

    peer = build(chosen, dataset.spec)
    peer.set_weights(model.get_weights())
    dropped = [v for v in peer.trainable_variables if v.path.endswith("recurrent_kernel")]
    for variable, mask in zip(dropped, masks, strict=True):
        variable.assign(variable * mask)
    with tf.GradientTape() as tape:
        logits, _ = advance(peer, x["tokens"], inputs["state"], training=True)
        loss = tf.keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
    np.testing.assert_allclose(losses.loss, tf.reduce_sum(loss, axis=1), rtol=1e-5)
    expected = tape.gradient(loss, peer.trainable_variables)
    factors = {id(v): mask for v, mask in zip(dropped, masks, strict=True)}
    for variable, ours, theirs in zip(peer.trainable_variables, gradients, expected, strict=True):
        theirs = theirs * factors.get(id(variable), 1.0)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", [{"dropout": 0.4}, {"weight_drop": 0.4}])
def test_dropout_leaves_the_passes_compiled(source, options):
    chosen = config(source, model=options, shares=2, jit_compile=True, native="off")
    dataset = seqclf.load_dataset(**chosen.data.to_dict())
    model = build(chosen, dataset.spec)
    passes = choose_passes(model, build_optimizer(chosen, 9), chosen, Workers())
    assert isinstance(passes, SharePasses) and not passes.compiles_step


def test_a_skipped_batch_keeps_the_state(source):
    chosen = config(source, nonfinite="skip")
    dataset = seqclf.load_dataset(**chosen.data.to_dict())
    model, step = trained_step(chosen, dataset)
    (x, y), *_ = training_batches(dataset.train, dataset.spec, 6, 0).take(1)
    step(x, y)
    before = step.carried.variables[0].numpy().copy()
    model.layers[-1].bias.assign(model.layers[-1].bias * np.nan)
    result = step(x, y)
    assert not result.finite and np.abs(before).max() > 0
    np.testing.assert_array_equal(before, step.carried.variables[0])


@pytest.mark.parametrize("before", [0, 300])
def test_every_token_is_scored_once(source, before):
    dataset = seqclf.load_dataset(source, window=6)
    model = build(config(source), dataset.spec)
    count = PIECE + 200
    text = np.tile(dataset.train.tokens, 2)[: before + count]
    split = TextSplit(text[before:], 6, before=text[:before][-CONTEXT:])
    score = TextScorer(model, dataset.spec)(split)
    # By hand: each token given those before it, as far as the scorer reads them.
    read = text[max(0, before - CONTEXT) :]
    first = min(before, CONTEXT) or 1
    expected = np.zeros(len(read) - first)
    for row in range(-(-len(expected) // PIECE)):
        begin = max(0, first + row * PIECE - 1 - CONTEXT)
        logs = tf.nn.log_softmax(model(read[None, begin:]))[0].numpy()
        for i in range(row * PIECE, min((row + 1) * PIECE, len(expected))):
            place = first + i
            expected[i] = logs[place - 1 - begin, read[place]]
    np.testing.assert_allclose(score.log_probabilities, expected, rtol=1e-4, atol=1e-5)
    assert score.loss == pytest.approx(-expected.mean(), rel=1e-5)
    assert score.perplexity == pytest.approx(np.exp(-expected.mean()), rel=1e-4)
    assert score.bits_per_character == pytest.approx(-expected.mean() / np.log(2), rel=1e-5)
    parts = [
        TextScorer(model, dataset.spec, each)(split).log_probabilities for each in two_workers()
    ]
    np.testing.assert_allclose(sum(parts), score.log_probabilities, rtol=1e-5)


def two_workers():
    """Two workers, each of which is told its own part only."""
    for index in (0, 1):
        workers = Workers()
        workers.count, workers.index = 2, index
        workers.sum_over_workers = lambda array: array
        yield workers


def test_bits_per_character_of_words_count_the_spaces(source):
    dataset = seqclf.load_dataset(source, window=6, tokens="words")
    score = TextScorer(build(config(source), dataset.spec), dataset.spec)(dataset.test)
    words = [dataset.spec.class_names[token] for token in dataset.test.tokens]
    assert len(score.right) == len(words) and score.characters == len(" ".join(words))
    assert score.bits_per_character == pytest.approx(
        score.loss / np.log(2) * len(words) / len(" ".join(words))
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_selection": 2}, "`batch_selection` cannot be used for text"),
        ({"class_weight": "balanced"}, "`class_weight` cannot be used for text"),
        ({"select": "macro_f1"}, "For text `select` must be auto or loss"),
        ({"augment": {"shift": 0.1}}, "`augment.shift` cannot be used for text"),
        ({"length_buckets": 2}, "`length_buckets` cannot be used for text"),
        ({"model": {"bidirectional": True}}, "`model.bidirectional` cannot be used for text"),
    ],
)
def test_what_text_cannot_have_is_refused(source, changes, message):
    chosen = config(source, **changes)
    dataset = seqclf.load_dataset(**chosen.data.to_dict())
    with pytest.raises(ConfigError, match=message):
        check_fits_data(chosen, dataset)


@pytest.mark.parametrize("options", [{"embedding": 8}, {"weight_drop": 0.5}])
def test_what_only_text_can_have_is_refused(options):
    chosen = resolve({"data": {"source": "digits"}, "model": options})
    ((name, value),) = options.items()
    with pytest.raises(ConfigError, match=rf"`model.{name}` cannot be used .* Received: {value}"):
        check_fits_data(chosen, seqclf.load_dataset("digits"))


def test_the_weights_of_the_lowest_loss_are_selected(source):
    chosen = config(source)
    dataset = seqclf.load_dataset(**chosen.data.to_dict())
    assert effective_config(chosen, dataset).select == "loss"
    short = seqclf.load_dataset(source, window=20, test=0.5)
    assert len(short.validation) < 50 and effective_config(chosen, short).select == "last"


def test_replicas_of_one_process_cannot_carry_a_state(source):
    chosen = config(source)
    dataset = seqclf.load_dataset(**chosen.data.to_dict())
    model = build(chosen, dataset.spec)
    workers = Workers()
    workers.replicas = 2
    with pytest.raises(ConfigError, match="'consecutive' each process must have one replica"):
        TrainStep(model, build_optimizer(chosen, 9), chosen, workers)
