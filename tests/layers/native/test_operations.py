"""The native operations against the reference in NumPy and `bptt`, and in every place of a process.

tests/layers/test_gru_keras.py compares them with Keras's layer.
"""

import os
import platform
import subprocess
import sys
import threading
import types
from pathlib import Path

import gru_reference as reference
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf import GRU
from seqclf.layers import bptt, native
from seqclf.layers.execution import execution
from seqclf.layers.native.gru import Options
from seqclf.layers.native.library import load

pytestmark = pytest.mark.skipif(
    bool(native.obstacle()), reason=f"no native operations: {native.obstacle()}"
)

VALUES = {"B": [1, 2, 5, 70, 131], "T": [1, 2, 7, 40], "D": [1, 3, 17], "H": [1, 3, 8, 20, 33]}
SIZES = st.tuples(*map(st.sampled_from, VALUES.values()))


def problem(B, T, D, H, reset_after=True, use_bias=True, masked=False, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=(B, T, D)), rng.normal(size=(B, H))]
    scale = 0.7 / np.sqrt(H)
    arrays += reference.random_weights(rng, D, H, reset_after, use_bias, scale)
    x, h_0, *weights = (tf.constant(each, tf.float32) for each in arrays)
    mask = tf.constant(rng.random((B, T)) < 0.6) if masked else None
    return x, h_0, weights, mask


def gradients_of(function, sources, upstream):
    with tf.GradientTape() as tape:
        tape.watch(sources)
        result = function()
        loss = tf.reduce_sum(result * upstream)
    return [each.numpy() for each in [result, *tape.gradient(loss, sources)]]


@settings(max_examples=40)
@given(
    sizes=SIZES,
    reset_after=st.booleans(),
    use_bias=st.booleans(),
    masked=st.booleans(),
    last_only=st.booleans(),
    shares=st.sampled_from([1, 2, 3, 7]),
    seed=st.integers(0, 2**32 - 1),
)
def test_states_and_gradients_are_those_of_bptt(
    sizes, reset_after, use_bias, masked, last_only, shares, seed
):
    x, h_0, weights, mask = problem(*sizes, reset_after, use_bias, masked, seed)
    B, T, _, H = sizes
    shape = (B, H) if last_only else (B, T, H)
    upstream = np.random.default_rng(seed).normal(size=shape).astype("float32")
    options = Options(reset_after, min(shares, B), last_only=last_only)

    def by_bptt():
        states = bptt.gru_sequence(
            *(tf.transpose(x, [1, 0, 2]), h_0, *weights, *([] if use_bias else [None])),
            None if mask is None else tf.transpose(mask),
            reset_after=reset_after,
        )
        states = tf.transpose(states, [1, 0, 2])
        return states[:, -1] if last_only else states

    sources = [x, h_0, *weights]
    ours = gradients_of(
        lambda: native.gru_states(x, h_0, weights, mask, options), sources, upstream
    )
    theirs = gradients_of(by_bptt, sources, upstream)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5 * max(1.0, np.abs(b).max()))


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("masked", [False, True])
def test_states_are_those_of_the_reference(reset_after, masked):
    x, h_0, weights, mask = problem(9, 784, 3, 21, reset_after, masked=masked)
    states = native.gru_states(x, h_0, weights, mask, Options(reset_after, 2))
    expected = reference.gru(
        *(x.numpy(), h_0.numpy(), [each.numpy() for each in weights]),
        reset_after=reset_after,
        mask=None if mask is None else mask.numpy(),
    )
    np.testing.assert_allclose(states, expected, atol=5e-6)


@pytest.mark.parametrize("reset_after", [True, False])
def test_without_a_gradient_the_states_are_the_same_bits(reset_after):
    x, h_0, weights, mask = problem(6, 5, 4, 9, reset_after, masked=True)
    kept, plain = (
        native.gru_states(x, h_0, weights, mask, Options(reset_after, 2, gradient))
        for gradient in (True, False)
    )
    np.testing.assert_array_equal(kept, plain)


def test_the_same_batch_gives_the_same_bits_and_the_states_whatever_the_shares():
    x, h_0, weights, _ = problem(50, 6, 5, 12)
    upstream = np.ones((50, 6, 12), "float32")
    sources = [x, h_0, *weights]

    def results(shares):
        run = lambda: native.gru_states(x, h_0, weights, None, Options(True, shares))  # noqa: E731
        return gradients_of(run, sources, upstream)

    first = results(3)
    for again in (results(3), results(3)):
        for a, b in zip(first, again, strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(first[:3], results(1)[:3], strict=True):  # states, dx, dh_0
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["x", "kernel", "recurrent_kernel", "bias"])
def test_numbers_that_are_not_finite_go_where_they_go_in_bptt(reset_after, wrong, place):
    x, h_0, weights, _ = problem(5, 4, 3, 11, reset_after)
    arrays = {"x": x, **dict(zip(["kernel", "recurrent_kernel", "bias"], weights, strict=True))}
    broken = arrays[place].numpy()
    broken.flat[7] = wrong
    arrays[place] = tf.constant(broken)
    x, *weights = arrays.values()
    sources = [x, h_0, *weights]
    options = Options(reset_after, 2)
    ours = gradients_of(lambda: native.gru_states(x, h_0, weights, None, options), sources, 1.0)
    theirs = gradients_of(
        lambda: tf.transpose(
            bptt.gru_sequence(tf.transpose(x, [1, 0, 2]), h_0, *weights, reset_after=reset_after),
            [1, 0, 2],
        ),
        sources,
        1.0,
    )
    np.testing.assert_allclose(ours[0], theirs[0], atol=2e-6)  # NaN where there is NaN
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        finite = np.isfinite(b)
        np.testing.assert_array_equal(np.isfinite(a), finite)
        np.testing.assert_allclose(a[finite], b[finite], rtol=2e-4, atol=2e-5)


def test_gates_that_are_far_from_0_are_exactly_0_and_1():
    x, h_0, weights, _ = problem(2, 6, 3, 4)
    kernel, recurrent, bias = (each.numpy() for each in weights)
    kernel[:, :4] = 0.0
    recurrent[:] = 0.0  # only the update gate lets a state through

    def states(of_z, h_0):
        bias[:, :4] = of_z
        given = [tf.constant(each) for each in (kernel, recurrent, bias)]
        return native.gru_states(x, h_0, given, None, Options(True, 1)).numpy()

    np.testing.assert_array_equal(states(1e3, h_0), np.repeat(h_0.numpy()[:, None], 6, axis=1))
    np.testing.assert_array_equal(states(-1e3, h_0), states(-1e3, h_0 + 7))
    assert np.abs(states(0.0, h_0) - states(0.0, h_0 + 7)).max() > 0.01  # it is the gate


def test_empty_batches():
    x, h_0, weights, _ = problem(3, 4, 2, 5)
    sources = [x[:0], h_0[:0], *weights]
    run = lambda: native.gru_states(*sources[:2], weights, None, Options(True, 1))  # noqa: E731
    states, dx, dh_0, *of_weights = gradients_of(run, sources, 1.0)
    assert states.shape == (0, 4, 5) and dx.shape == (0, 4, 2) and dh_0.shape == (0, 5)
    assert not any(each.any() for each in of_weights)


@pytest.mark.parametrize("B", [129, 257])
def test_shares_of_unequal_numbers_of_blocks(B):
    x, h_0, weights, _ = problem(B, 3, 2, 9, reset_after=False)
    expected = native.gru_states(x, h_0, weights, None, Options(False, 1))
    for shares in (2, 4):
        found = native.gru_states(x, h_0, weights, None, Options(False, shares))
        np.testing.assert_array_equal(found, expected)


def test_sequences_without_features():
    x, h_0, weights, _ = problem(5, 6, 1, 4)
    sources = [x[..., :0], h_0, weights[0][:0], *weights[1:]]
    run = lambda: native.gru_states(*sources[:2], sources[2:], None, Options(True, 2))  # noqa: E731
    states, dx, *_ = gradients_of(run, sources, 1.0)
    assert states.shape == (5, 6, 4) and dx.shape == (5, 6, 0)


@pytest.mark.parametrize("keep_gates", [True, False])
def test_gates_may_be_computed_anew(keep_gates):
    x, h_0, weights, mask = problem(6, 5, 4, 9, masked=True)
    options = Options(True, 2, keep_gates=keep_gates)
    sources = [x, h_0, *weights]
    found = gradients_of(lambda: native.gru_states(x, h_0, weights, mask, options), sources, 1.0)
    options = Options(True, 2)
    kept = gradients_of(lambda: native.gru_states(x, h_0, weights, mask, options), sources, 1.0)
    for a, b in zip(found, kept, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("return_sequences", [True, False])
def test_a_gradient_of_a_gather_and_one_mask_for_all(return_sequences):
    layer = GRU(4, return_sequences=return_sequences)
    x, mask = tf.random.normal([5, 6, 3]), tf.constant([[True] * 4 + [False] * 2])

    def gradients():
        with tf.GradientTape() as tape:
            chosen = tf.gather(layer(x, mask=mask, training=True), [1, 3])
            loss = tf.reduce_sum(chosen)
        return tape.gradient(loss, layer.trainable_variables)

    layer.build(x.shape)
    in_a_graph = tf.function(gradients)()
    assert layer.path.startswith("native")
    with execution(native=False, shares=1):
        expected = gradients()
    for a, b in zip(in_a_graph, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_shapes_that_do_not_belong_together_are_refused():
    x, h_0, weights, _ = problem(3, 4, 2, 5)
    none = [tf.zeros([0]), tf.zeros([0], tf.bool)]
    good = {"reset_after": True, "keep_gates": True, "shares": 1, "threads": 1}
    operation = load().operations.seqclf_gru
    wrong = {
        r"`kernel` must have the shape \[2, 15\]. Received: \[5, 15\]": [x, h_0, weights[1]],
        r"`h_0` must have the shape \[3, 5\]. Received: \[2, 5\]": [x, h_0[:2], weights[0]],
        r"`x` must have the shape \[B, T, D\] .* Received: \[4, 2\]": [x[0], h_0, weights[0]],
    }
    for message, inputs in wrong.items():
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            operation(*inputs, weights[1], *none, **good)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"`mask` must have the shape \[3, 4\]"
    ):
        operation(x, h_0, *weights[:2], none[0], tf.zeros([4, 3], tf.bool), **good)


def test_a_second_gradient_is_refused():
    x, h_0, weights, _ = problem(2, 3, 2, 4)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            total = tf.reduce_sum(native.gru_states(x, h_0, weights, None, Options(True, 1)))
        gradient = inner.gradient(total, x)
    with pytest.raises(NotImplementedError, match="no second-order gradient"):
        outer.gradient(gradient, x)


def model_of(**arguments):
    layers = [GRU(9, return_sequences=True, **arguments), GRU(6, **arguments)]
    return keras.Sequential([keras.Input((6, 3)), *layers, keras.layers.Dense(2)])


def test_keras_fit_takes_them_and_learns_what_keras_learns():
    x = np.random.default_rng(0).normal(size=(40, 6, 3)).astype("float32")
    y = x[:, 2, :2]
    ours, theirs = model_of(), None
    layers = [keras.layers.GRU(9, return_sequences=True), keras.layers.GRU(6)]
    theirs = keras.Sequential([keras.Input((6, 3)), *layers, keras.layers.Dense(2)])
    theirs.set_weights(ours.get_weights())
    for model in (ours, theirs):
        model.compile("adam", "mse")
        model.fit(x, y, epochs=3, batch_size=16, shuffle=False, verbose=0)
    assert all(layer.path.startswith("native") for layer in ours.layers[:2])
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_what_xla_compiles_takes_the_other_path():
    layer = GRU(4)
    x = tf.random.normal([5, 6, 3])

    @tf.function(jit_compile=True)
    def gradient(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, training=True))
        return tape.gradient(loss, layer.trainable_variables)

    layer.build(x.shape)
    compiled = gradient(x)
    assert layer.path.startswith("bptt")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=True))
    assert layer.path.startswith("native")
    for a, b in zip(compiled, tape.gradient(loss, layer.trainable_variables), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_model_that_is_saved_as_a_graph_has_plain_operations(tmp_path):
    model = model_of()
    x = tf.random.normal([5, 6, 3])
    expected = model(x)
    assert model.layers[0].path.startswith("native")
    model.export(tmp_path / "export", verbose=False)
    program = (
        "import sys, tensorflow as tf\n"
        "model = tf.saved_model.load(sys.argv[1])\n"  # in a process that has no such operations
        "print(model.serve(tf.io.parse_tensor(tf.io.read_file(sys.argv[2]), tf.float32))[0, 0])"
    )
    tf.io.write_file(str(tmp_path / "x"), tf.io.serialize_tensor(x))
    command = [sys.executable, "-c", program, tmp_path / "export", tmp_path / "x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    number = float(done.stdout.split("tf.Tensor(")[1].split(",")[0])
    assert number == pytest.approx(float(expected[0, 0]), abs=1e-5)


def results(shares=2):
    x, h_0, weights, _ = problem(40, 8, 5, 16)
    sources = [x, h_0, *weights]
    run = lambda: native.gru_states(x, h_0, weights, None, Options(True, shares))  # noqa: E731
    return gradients_of(run, sources, 1.0)


def test_several_threads_may_call_at_once():
    expected, found = results(), []
    threads = [
        threading.Thread(target=lambda: found.extend(results() for _ in range(10)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(found) == 40
    for each in found:
        for a, b in zip(each, expected, strict=True):
            np.testing.assert_array_equal(a, b)


IN_A_CHILD = """
import os, signal, sys
import numpy as np
import tensorflow as tf
from seqclf.layers import native
from seqclf.layers.execution import execution
from seqclf.layers.native.gru import Options

def run(shares):
    x, h, W, U = (tf.reshape(tf.sin(tf.range(np.prod(s), dtype=tf.float32)), s)
                  for s in ([40, 8, 5], [40, 16], [5, 48], [16, 48]))
    return native.gru_states(x, h, [W, U], None, Options(True, shares, gradient=False)).numpy()

expected = run(4)  # the threads of the pool begin here
for _ in range(20):
    # They look for more, or are on their way to sleep, when the process forks. No other thread
    # calls TensorFlow: it has locks of its own, which a child would find held.
    run(4)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(0 if np.array_equal(run(4), expected) else 1)
    _, status = os.waitpid(child, 0)
    if status:
        sys.exit(f"a child ended with {status}")
print("same")
"""


def test_a_child_after_fork_computes_too():
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", IN_A_CHILD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "same\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux alone binds to cores")
def test_on_one_core_with_more_shares_than_cores():
    expected = results(shares=7)
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        found = results(shares=7)
    finally:
        os.sched_setaffinity(0, allowed)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="Linux alone lists threads")
def test_threads_keep_the_cores_that_they_were_allowed():
    def masks():
        tasks = [int(name) for name in os.listdir("/proc/self/task")]
        return {frozenset(os.sched_getaffinity(task)) for task in tasks}

    allowed = os.sched_getaffinity(0)
    for core in allowed:  # the caller sits where the thread of the pool slept, and then elsewhere
        os.sched_setaffinity(0, {core})
        try:
            for _ in range(20):
                results(shares=2)
        finally:
            os.sched_setaffinity(0, allowed)
    assert masks() == {frozenset(allowed)}


def in_a_process(environment, program):
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_best_instruction_set_of_this_machine_is_taken():
    """By what Linux says of the processor; the test below skips what is not taken."""
    cpuinfo = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpuinfo.exists():
        pytest.skip("Linux on x86-64 only")
    (flags, *_) = (line for line in cpuinfo.read_text().splitlines() if line.startswith("flags"))
    there = set(flags.split())
    avx2 = {"avx2", "fma"} <= there
    avx512 = avx2 and {"avx512f", "avx512dq", "avx512vl"} <= there
    program = "from seqclf.layers import native; print(native.instruction_set())"
    best = "AVX512" if avx512 else "AVX2" if avx2 else "plain"
    assert in_a_process({}, program) == best


@pytest.mark.parametrize("isa", ["plain", "avx2", "avx512"])
def test_each_instruction_set_of_this_machine(isa):
    """In a process of its own: the choice is made once."""
    name = in_a_process(
        {"SEQCLF_NATIVE_ISA": isa},
        "from seqclf.layers import native; print(native.instruction_set())",
    )
    if name.lower() != isa:
        pytest.skip(f"this machine has no {isa}")
    tests = f"{__file__}::{test_states_and_gradients_are_those_of_bptt.__name__}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    environment = {**os.environ, "SEQCLF_NATIVE_ISA": isa}
    done = subprocess.run(
        [*command, tests], capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stdout


def test_without_them_the_other_path_is_taken_and_the_reason_is_known():
    program = (
        "import numpy as np; from seqclf import GRU; from seqclf.layers import native\n"
        "layer = GRU(4); layer(np.zeros((8, 5, 3), 'float32'))\n"
        "print(layer.path, native.obstacle(), layer.supports_jit, sep=' | ')"
    )
    said = in_a_process({"SEQCLF_NATIVE": "0"}, program)
    assert said == "bptt: while loop, no XLA | the environment has SEQCLF_NATIVE=0 | True"


def test_a_library_that_defines_no_operations_is_not_taken(monkeypatch):
    monkeypatch.setattr(tf, "load_op_library", lambda path: types.ModuleType("empty"))
    broken = load.__wrapped__()
    assert broken.operations is None and "could not be loaded: " in broken.obstacle


def test_a_library_that_cannot_be_loaded_is_named(tmp_path, monkeypatch):
    from seqclf.layers.native import compiled

    (tmp_path / "_gru.so").write_bytes(b"no library")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    broken = load.__wrapped__()
    assert broken.operations is None and "_gru.so could not be loaded: " in broken.obstacle
    (tmp_path / "_gru.so").unlink()
    assert load.__wrapped__().obstacle.startswith("it was not built")


def test_a_copy_that_is_built_elsewhere_is_named(tmp_path, monkeypatch):
    """`pip install .` builds the library in site-packages, and not in the clone's own folder."""
    from seqclf.layers.native import compiled

    class Installed:
        def locate_file(self, path):
            return tmp_path / "site-packages" / path

    there = tmp_path / "site-packages/seqclf/layers/native"
    there.mkdir(parents=True)
    here = tmp_path / "clone/seqclf/layers/native"
    monkeypatch.setattr(compiled, "__file__", str(here / "compiled.py"))
    monkeypatch.setattr(compiled.importlib.metadata, "distribution", lambda name: Installed())
    assert compiled.find()[1].startswith("it was not built, because there was no C++ compiler")
    (there / "_gru.so").touch()
    assert compiled.find()[1] == (
        f"it was not built in {tmp_path}/clone, from where seqclf is imported, but in "
        f"{tmp_path}/site-packages: run seqclf from another folder, or install it here with "
        "pip install -e"
    )
