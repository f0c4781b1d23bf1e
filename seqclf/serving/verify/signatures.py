"""The rules on what a SavedModel declares: tag, signatures, types, the batch and Classify."""

import re

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef, TensorInfo

from seqclf.serving.verify.checks import Check, judge

TAG = "serve"
DEFAULT = "serving_default"
INITIALIZER = "__saved_model_init_op"  # run when the model is loaded; not for clients
CLASSIFY = "tensorflow/serving/classify"
TYPES = {  # types that REST can read and write
    "DT_FLOAT", "DT_DOUBLE", "DT_INT8", "DT_INT16", "DT_INT32", "DT_INT64", "DT_UINT8",
    "DT_UINT16", "DT_UINT32", "DT_UINT64", "DT_BOOL", "DT_STRING",
}  # fmt: skip

SignatureDefs = dict[str, SignatureDef]


def serving_graph(graphs: list[MetaGraphDef]) -> MetaGraphDef | None:
    """Returns the graph that the server loads, which has the tag `serve` and no other tag."""
    for graph in graphs:
        if set(graph.meta_info_def.tags) == {TAG}:
            return graph
    return None


def read_signatures(graph: MetaGraphDef) -> SignatureDefs:
    """Returns the signatures that clients can name, sorted by name."""
    return {name: graph.signature_def[name] for name in sorted(graph.signature_def)
            if name != INITIALIZER}  # fmt: skip


def check_tag(graphs: list[MetaGraphDef]) -> Check:
    """Judges whether one of the graphs is for serving."""
    tags = [sorted(graph.meta_info_def.tags) for graph in graphs]
    problems = [] if serving_graph(graphs) else [f"no graph has the one tag `{TAG}`, only {tags}"]
    return judge("tag", problems, f"a graph with the tag `{TAG}`", "export with tf.saved_model")


def check_signatures(signatures: SignatureDefs) -> Check:
    """Judges whether there is a default signature and each signature has inputs and outputs."""
    problems = []
    if DEFAULT not in signatures:
        names = ", ".join(f"`{name}`" for name in signatures) or "no signature at all"
        problems.append(f"there is no `{DEFAULT}`, which a request means that names none; {names}")
    for name, signature in signatures.items():
        for part, tensors in (("inputs", signature.inputs), ("outputs", signature.outputs)):
            if not tensors:
                problems.append(f"`{name}` has no {part}")
    remedy = f'save with signatures={{"{DEFAULT}": function}}, tensors in and a dict of them out'
    return judge("signatures", problems, ", ".join(signatures), remedy)


def batch_problems(signatures: SignatureDefs) -> list[str]:
    """Returns the tensors whose declared first dimension cannot be the batch."""
    problems = []
    for name, part, key, info in _tensors(signatures):
        if info.tensor_shape.unknown_rank:
            continue
        shape = [dim.size for dim in info.tensor_shape.dim]
        if not shape:
            problems.append(f"{part} `{key}` of `{name}` is a scalar")
        elif shape[0] != -1:
            problems.append(f"{part} `{key}` of `{name}` has the fixed shape {shape}")
    return problems


def varying_axes(info: TensorInfo) -> list[int]:
    """Returns the axes after the batch whose sizes a signature leaves open, for a numeric input."""
    if info.dtype == types_pb2.DT_STRING or info.tensor_shape.unknown_rank:
        return []
    return [axis for axis, dim in enumerate(info.tensor_shape.dim) if axis and dim.size < 0]


def check_types(signatures: SignatureDefs) -> Check:
    """Judges whether REST can read the inputs and write the outputs."""
    problems = []
    for name, part, key, info in _tensors(signatures):
        kind = types_pb2.DataType.Name(info.dtype)
        if kind not in TYPES:
            status = 501 if part == "input" else 400
            problems.append(f"REST answers {status} to {kind} of {part} `{key}` of `{name}`")
    remedy = "cast to float32 in the endpoint"
    return judge("output types", problems, "all can be read and written as JSON", remedy)


def check_classify(signatures: SignatureDefs) -> Check:
    """Judges the signatures that the Classify API may call."""
    names = [name for name, signature in signatures.items() if _classifies(name, signature)]
    if not names:
        return Check("classify", None, "no signature is for Classify")
    problems = []
    for name in names:
        problems += _classify_problems(name, signatures[name])
    remedy = "Classify takes `inputs`, strings [N], and gives `classes`, `scores` or both, [N, C]"
    return judge("classify", problems, ", ".join(names), remedy)


def _classifies(name: str, signature: SignatureDef) -> bool:
    if signature.method_name == CLASSIFY or re.fullmatch("classify", name, re.IGNORECASE):
        return True
    examples = list(signature.inputs) == ["inputs"] and (
        signature.inputs["inputs"].dtype == types_pb2.DT_STRING
    )
    return examples and bool(signature.outputs) and set(signature.outputs) <= {"classes", "scores"}


def _classify_problems(name: str, signature: SignatureDef) -> list[str]:
    inputs = {"inputs": (types_pb2.DT_STRING, 1)}
    outputs = {"classes": (types_pb2.DT_STRING, 2), "scores": (types_pb2.DT_FLOAT, 2)}
    problems = []
    for part, tensors, wanted in (
        ("input", signature.inputs, inputs),
        ("output", signature.outputs, outputs),
    ):
        for key, info in sorted(tensors.items()):
            if key not in wanted:
                problems.append(f"`{name}` has the {part} `{key}`")
            else:
                tensor = f"{part} `{key}` of `{name}`"
                problems += _tensor_problems(tensor, info, *wanted[key])
    if "inputs" not in signature.inputs:
        problems.append(f"`{name}` has no input `inputs`")
    return problems


def _tensor_problems(tensor: str, info: TensorInfo, dtype: int, rank: int) -> list[str]:
    problems = []
    if info.dtype != dtype:
        problems.append(f"{tensor} is {types_pb2.DataType.Name(info.dtype)}")
    shape = info.tensor_shape
    if not shape.unknown_rank and len(shape.dim) != rank:
        problems.append(f"{tensor} has the rank {len(shape.dim)}")
    return problems


def _tensors(
    signatures: SignatureDefs,
) -> list[tuple[str, str, str, TensorInfo]]:
    """Returns (signature, `input` or `output`, key, tensor) for each tensor."""
    return [
        (name, part, key, tensors[key])
        for name, signature in signatures.items()
        for part, tensors in (("input", signature.inputs), ("output", signature.outputs))
        for key in sorted(tensors)
    ]
