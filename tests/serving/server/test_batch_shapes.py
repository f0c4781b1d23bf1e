"""Requests of different shapes that share a batch: padded or refused, as in TensorFlow Serving."""

import asyncio

import numpy as np
import pytest
from slow_model import SlowModel, batched

from seqclf.serving.server.batcher import Batcher
from seqclf.serving.server.batching_rules import BatchingRules, read_batching_rules
from seqclf.serving.server.fault import Fault
from seqclf.serving.server.model import ServedModel
from seqclf.serving.server.versions import Versions

PADS, REFUSES = BatchingRules(pads=True), BatchingRules(pads=False)
LONG, SHORT = np.arange(1.0, 7.0).reshape(1, 3, 2), np.array([[[7.0, 8.0]]])


def test_they_run_apart_without_batching_parameters():
    model = SlowModel()
    answers = batched(model, LONG, SHORT, LONG)
    assert [batch.shape for batch in model.batches] == [(1,), (2, 3, 2), (1, 1, 2)]
    np.testing.assert_array_equal(answers[1]["y"], 2 * SHORT)


def test_all_of_a_mixed_batch_are_refused_without_padding():
    model = SlowModel(batching=REFUSES)
    answers = batched(model, LONG, SHORT, LONG)
    assert len(model.batches) == 1  # the one that held the thread
    for answer in answers:
        assert isinstance(answer, Fault)
        assert (answer.code, answer.status) == ("FAILED_PRECONDITION", 400)
        assert answer.message == (
            "Tensors with name 's_x:0' from different tasks have different shapes and padding is "
            "turned off. Set pad_variable_length_inputs to true, or ensure that all tensors with "
            "the same name have equal dimensions starting with the first dim."
        )


def test_requests_of_one_shape_are_not_refused_without_padding():
    model = SlowModel(batching=REFUSES)
    for answer in batched(model, LONG, np.concatenate([LONG, LONG])):
        assert answer["y"].shape[1:] == (3, 2)
    assert model.sizes == [1, 3]


def test_shorter_ones_are_padded_with_their_first_value():
    model = SlowModel(batching=PADS)
    long, short = batched(model, LONG, SHORT)
    np.testing.assert_array_equal(model.batches[1][0], LONG[0])
    np.testing.assert_array_equal(model.batches[1][1], [[7.0, 8.0], [7.0, 7.0], [7.0, 7.0]])
    np.testing.assert_array_equal(long["y"], 2 * LONG)
    assert short["y"].shape == (1, 3, 2)  # as long as the longest: it is not cut back


@pytest.mark.parametrize("odd", [np.zeros((1, 0, 2)), np.zeros((1, 3))])
def test_what_cannot_be_padded_runs_alone(odd):
    model = SlowModel(batching=PADS)
    answers = batched(model, LONG, odd)
    assert model.sizes == [1, 1, 1]
    np.testing.assert_array_equal(answers[0]["y"], 2 * LONG)
    assert answers[1]["y"].shape == odd.shape


@pytest.mark.parametrize("batching", [None, REFUSES, PADS])
def test_no_examples(batching):
    (answer,) = batched(SlowModel(batching=batching), np.zeros((0, 3)))
    if batching is None:
        assert answer["y"].shape == (0, 3)
    else:
        assert answer.status == 400 and "no examples" in answer.message


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (None, None),
        ("", REFUSES),
        ("max_batch_size { value: 64 }", REFUSES),
        ("pad_variable_length_inputs: false", REFUSES),
        ("# pad_variable_length_inputs: true\nmax_batch_size { value: 64 }", REFUSES),
        ("max_batch_size { value: 64 }\npad_variable_length_inputs: true\n", PADS),
        ("pad_variable_length_inputs :true max_batch_size { value: 64 }", PADS),
    ],
)
def test_batching_parameters(tmp_path, text, rules):
    if text is not None:
        (tmp_path / "batching_params.pbtxt").write_text(text)
    assert read_batching_rules(tmp_path) == rules


def run_together(model, *inputs):
    """Runs a request, and the given ones in one batch after it; returns outputs or errors."""

    async def run():
        queue = Batcher(threads=1)
        tasks = [
            asyncio.ensure_future(queue.run(model, "float32", {"x": x}))
            for x in (np.zeros((1, 2), np.float32), *inputs)
        ]
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        queue.close()
        return answers[1:]

    return asyncio.run(run())


def test_a_model_itself(save_zoo, tmp_path):
    """The name in the message is that of the tensor in the graph."""
    folder = save_zoo(tmp_path, 1)
    parts = [np.ones((2, 3), np.float32), np.full((1, 5), 2, np.float32)]
    (folder / "batching_params.pbtxt").write_text("max_batch_size { value: 64 }")
    for answer in run_together(ServedModel(folder), *parts):
        assert "Tensors with name 'float32_x:0' from different tasks" in answer.message
    (folder / "batching_params.pbtxt").write_text("pad_variable_length_inputs: true")
    first, second = run_together(ServedModel(folder), *parts)
    np.testing.assert_array_equal(first["y"], np.ones((2, 5)))
    np.testing.assert_array_equal(second["y"], np.full((1, 5), 2))


@pytest.mark.parametrize("free", [True, False])
def test_a_version_without_padding_is_told_at_its_load(save_zoo, save_plus, tmp_path, free):
    folder = (save_zoo if free else save_plus)(tmp_path, 1)
    (folder / "batching_params.pbtxt").write_text("max_batch_size { value: 64 }")
    said = []
    Versions("m", tmp_path, poll_seconds=0, log=said.append).start()
    assert any("no pad_variable_length_inputs" in line for line in said) == free
