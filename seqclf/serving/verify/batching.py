"""The rule `batching parameters`: `batching_params.pbtxt` is valid and consistent."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped, unused-ignore]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from seqclf.serving.file_names import BATCHING
from seqclf.serving.verify.checks import Check, judge, skipped

DEFAULT_MAX_BATCH_SIZE = 1000  # the server's
POSITIVE = (
    *("max_batch_size", "num_batch_threads", "max_enqueued_batches", "max_execution_batch_size"),
)
WRAPPED = {  # fields that are written as `name { value: ... }`, with the type of the value
    **dict.fromkeys((*POSITIVE, "batch_timeout_micros"), "Int64Value"),
    "thread_pool_name": "StringValue",
    "enable_large_batch_splitting": "BoolValue",
}


@dataclass(frozen=True)
class Batching:
    """The parameters that decide which batches the model gets.

    Attributes:
        sizes: the batch sizes that the server pads to; empty if it does not pad.
        largest: the largest batch that a request may have.
        pads: whether the server pads the inputs of a batch to one size in every dimension.
    """

    sizes: tuple[int, ...]
    largest: int
    pads: bool


def check_batching(folder: Path) -> tuple[Check, Batching | None]:
    """Judges the file of a version.

    Returns:
        The check, and the parameters; None if there is no such file or it is invalid.
    """
    rule = "batching parameters"
    path = folder / BATCHING
    if not path.exists():
        return skipped(rule, f"there is no {BATCHING}"), None
    try:
        parameters = text_format.Parse(path.read_text("utf-8"), _message_class()())
    except (text_format.ParseError, UnicodeDecodeError, OSError) as error:
        known = ", ".join(sorted((*WRAPPED, "allowed_batch_sizes", "pad_variable_length_inputs")))
        problem = f"{BATCHING} is no BatchingParameters message: {error}"
        return judge(rule, [problem], "", f"its fields are {known}"), None
    sizes = tuple(parameters.allowed_batch_sizes)
    problems = [*_not_positive(parameters, sizes), *_inconsistent(parameters, sizes)]
    found = f"allowed batch sizes {list(sizes)}" if sizes else "any batch size"
    largest = _value(parameters, "max_batch_size", DEFAULT_MAX_BATCH_SIZE)
    check = judge(rule, problems, f"{found}, at most {largest}", "the server refuses to load it")
    pads = parameters.pad_variable_length_inputs
    return check, Batching(sizes, largest, pads) if check.passed else None


def _not_positive(parameters: Any, sizes: tuple[int, ...]) -> list[str]:
    problems = [
        f"{name} is {_value(parameters, name, 1)}, not positive"
        for name in POSITIVE
        if _value(parameters, name, 1) < 1
    ]
    if _value(parameters, "batch_timeout_micros", 0) < 0:
        problems.append("batch_timeout_micros is negative")
    return problems + [f"the allowed batch size {n} is not positive" for n in sizes if n < 1]


def _inconsistent(parameters: Any, sizes: tuple[int, ...]) -> list[str]:
    largest = _value(parameters, "max_batch_size", DEFAULT_MAX_BATCH_SIZE)
    executed, last = largest, "max_batch_size"
    if parameters.enable_large_batch_splitting.value:
        # A large request is cut to what is executed at once.
        executed = _value(parameters, "max_execution_batch_size", largest)
        last = "max_execution_batch_size" if executed != largest else last
    problems = []
    if executed > largest:
        problems.append(f"max_execution_batch_size {executed} is above max_batch_size {largest}")
    if list(sizes) != sorted(set(sizes)):
        problems.append(f"allowed_batch_sizes {list(sizes)} do not ascend")
    elif sizes and sizes[-1] != executed:
        problems.append(f"the last of allowed_batch_sizes is {sizes[-1]}, but {last} is {executed}")
    return problems


def _value(parameters: Any, name: str, default: int) -> int:
    return getattr(parameters, name).value if parameters.HasField(name) else default


@cache
def _message_class() -> Any:
    """Returns the message class BatchingParameters, which no Python package contains."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(descriptor_pb2.FileDescriptorProto.FromString(wrappers_pb2.DESCRIPTOR.serialized_pb))
    file = descriptor_pb2.FileDescriptorProto(
        name="batching.proto",
        package="seqclf",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    message = file.message_type.add(name="BatchingParameters")
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, (name, wrapper) in enumerate(WRAPPED.items(), start=10):
        message.field.add(
            name=name, number=number, label=kinds.LABEL_OPTIONAL, type=kinds.TYPE_MESSAGE,
            type_name=f".google.protobuf.{wrapper}",
        )  # fmt: skip
    message.field.add(
        name="allowed_batch_sizes", number=6, label=kinds.LABEL_REPEATED, type=kinds.TYPE_INT64
    )
    message.field.add(
        name="pad_variable_length_inputs", number=7, label=kinds.LABEL_OPTIONAL,
        type=kinds.TYPE_BOOL,
    )  # fmt: skip
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("seqclf.BatchingParameters")
    return message_factory.GetMessageClass(descriptor)
