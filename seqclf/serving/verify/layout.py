"""The rule `layout`: the files of a version are there and whole."""

import re
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped, unused-ignore]
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from seqclf.serving.file_names import GRAPH, STAGING
from seqclf.serving.verify.checks import Check, judge, skipped
from seqclf.storage.plain_path import plain_path

VARIABLE_OPERATIONS = {"VarHandleOp", "VariableV2", "Variable"}


def read_graphs(folder: Path) -> list[MetaGraphDef]:
    """Returns the graphs of a SavedModel; none if the file is damaged."""
    try:
        return list(SavedModel.FromString((folder / GRAPH).read_bytes()).meta_graphs)
    except (DecodeError, OSError):
        return []


def check_layout(folder: Path, graphs: list[MetaGraphDef]) -> Check:
    """Judges the name and the files of a version.

    Args:
        folder: the version's folder.
        graphs: what `read_graphs` returns for it.
    """
    if not graphs:
        problem = f"{GRAPH} is no SavedModel, or cut short"
        return judge("layout", [problem], "", "export or copy the version again")
    count, problems = _variables(folder, graphs)
    assets = {asset.filename for graph in graphs for asset in graph.asset_file_def}
    problems += [
        f"assets/{name} is missing"
        for name in sorted(assets)
        if not (folder / "assets" / name).is_file()
    ]
    found = f"{GRAPH}, {count} tensors in variables/, {len(assets)} assets"
    if re.search(r"[\[\\]", str(folder.resolve())):
        found += "; serve a copy of it elsewhere: TensorFlow Serving takes [ and \\ for a pattern"
    check = judge("layout", problems, found, "export or copy the version again")
    name = folder.name
    if check.passed and not re.fullmatch(r"0|[1-9][0-9]*", name) and not name.startswith(STAGING):
        reason = f"{found}; but the server reads BASE/<integer> only, so `{name}` needs renaming"
        return skipped("layout", reason)
    return check


def _variables(folder: Path, graphs: list[MetaGraphDef]) -> tuple[int, list[str]]:
    """Reads every tensor of the checkpoint, whose checksums reveal damage.

    Returns:
        The number of tensors, and what is wrong.
    """
    prefix = folder / "variables" / "variables"
    if not prefix.with_suffix(".index").is_file():
        operations = {
            node.op
            for graph in graphs
            for nodes in (graph.graph_def.node, *_bodies(graph))
            for node in nodes
        }
        needed = operations & VARIABLE_OPERATIONS
        return 0, ["variables/variables.index is missing"] if needed else []
    names: list[str] = []
    try:
        with plain_path(prefix.parent) as variables:
            reader = tf.train.load_checkpoint(str(variables / prefix.name))
            names = sorted(reader.get_variable_to_shape_map())
            for name in names:
                reader.get_tensor(name)
    except (tf.errors.OpError, RuntimeError, ValueError, LookupError) as error:
        return len(names), [f"variables/ is incomplete or damaged ({error})"]
    return len(names), []


def _bodies(graph: MetaGraphDef) -> list[Any]:
    return [function.node_def for function in graph.graph_def.library.function]
