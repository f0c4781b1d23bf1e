"""The rules on operations: a server without XLA, Python or a GPU can run the graph."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tensorflow.core.framework import attr_value_pb2, graph_pb2, node_def_pb2

from seqclf.serving.verify.checks import Check, judge

PYTHON = re.compile(r"PyFunc|EagerPyFunc")
CUDNN = re.compile(r"_?Cudnn")
# The CPU kernels of these operations compile when they are called. The two that are left out cut
# and join tensors.
XLA = re.compile(r"_?Xla(?!SplitND|ConcatND)")
MUST_COMPILE = "_XlaMustCompile"
PROCESSORS = {"CPU", "DEFAULT"}  # devices of kernels; DEFAULT is any device


@dataclass(frozen=True)
class Node:
    """An operation in the graph or in a function that the graph calls."""

    operation: str
    name: str
    function: str
    device: str
    must_compile: bool

    def __str__(self) -> str:
        where = f" of function `{self.function}`" if self.function else ""
        return f"{self.operation} (node `{self.name}`{where})"


@dataclass(frozen=True)
class Graph:
    """The parts of a graph that are judged.

    Attributes:
        nodes: the nodes of the graph and of all functions that it calls, directly or not.
        compiled: names of the functions that must be compiled.
        functions: names of the functions in the library, called or not.
    """

    nodes: list[Node]
    compiled: list[str]
    functions: set[str]

    @property
    def operations(self) -> set[str]:
        """Names of the operations, without calls of functions by their names."""
        return {node.operation for node in self.nodes} - self.functions


def read_graph(graph: graph_pb2.GraphDef) -> Graph:
    """Returns the nodes that a server may run.

    Functions that nothing calls are left out. For instance, Keras 2 keeps a cuDNN variant of each
    of its GRUs in the library, which a server without a GPU never runs.
    """
    library = {function.signature.name: function for function in graph.library.function}
    nodes, compiled = [], []
    waiting, seen = [("", graph.node)], {""}
    while waiting:
        name, definitions = waiting.pop()
        for node in definitions:
            nodes.append(_node(node, name))
            for called in {node.op, *_mentioned(node)} - seen:
                if called in library:
                    seen.add(called)
                    waiting.append((called, library[called].node_def))
                    if library[called].attr[MUST_COMPILE].b:
                        compiled.append(called)
    return Graph(nodes, compiled, set(library))


def _node(node: node_def_pb2.NodeDef, function: str) -> Node:
    must_compile = MUST_COMPILE in node.attr and node.attr[MUST_COMPILE].b
    return Node(node.op, node.name, function, node.device, must_compile)


def _mentioned(node: node_def_pb2.NodeDef) -> Iterator[str]:
    """Yields the functions in a node's attributes, for instance bodies and branches."""
    for value in node.attr.values():
        yield from _functions(value)


def _functions(value: attr_value_pb2.AttrValue) -> Iterator[str]:
    for function in (value.func, *value.list.func):
        if function.name:
            yield function.name
            for inner in function.attr.values():
                yield from _functions(inner)


def check_operations(
    graph: Graph, kernels: dict[str, list[str] | None] | None, runtime: str
) -> Check:
    """Judges whether the runtime knows each operation and can run it on a CPU.

    Args:
        graph: the nodes that a server may run.
        kernels: for each operation the devices that it has kernels for, or None if the operation is
            unknown; None as a whole if the runtime could not be asked.
        runtime: name of the runtime.
    """
    if kernels is None:
        return Check("operations", None, f"{runtime} could not be asked: see `runs`")
    problems = []
    for node in _first_of_each(graph.nodes):
        if node.operation in graph.functions or _has_its_own_rule(node):
            continue
        devices = kernels.get(node.operation)
        if devices is None:
            problems.append(f"{runtime} does not know {node}")
        elif not PROCESSORS & set(devices):
            problems.append(f"{runtime} has no CPU kernel for {node}")
    found = f"{len(graph.operations)} kinds, each with a CPU kernel in {runtime}"
    remedy = "use operations that the server's TensorFlow has"
    return judge("operations", problems, found, remedy)


def check_compilation(graph: Graph) -> Check:
    """Judges that nothing asks for XLA, which TensorFlow Serving switches off on CPUs."""
    problems = [f"function `{name}` must be compiled" for name in graph.compiled]
    problems += [f"{node} must be compiled" for node in graph.nodes if node.must_compile]
    problems += [str(node) for node in graph.nodes if XLA.match(node.operation)]
    remedy = "TensorFlow Serving runs without XLA, so export without jit_compile=True"
    return judge("xla", problems, "nothing asks for XLA", remedy)


def check_cudnn(graph: Graph) -> Check:
    """Judges that no operation needs cuDNN."""
    remedy = "a server on CPUs has no cuDNN, so export with use_cudnn=False and the GPU hidden"
    return judge("cudnn", _matching(graph, CUDNN), "no operation of cuDNN", remedy)


def check_python(graph: Graph) -> Check:
    """Judges that nothing calls back into the process that exported it."""
    remedy = "it calls Python code, which is not in the export: use TensorFlow operations"
    return judge("python functions", _matching(graph, PYTHON), "no call into Python", remedy)


def check_devices(graph: Graph) -> Check:
    """Judges that no node is bound to a device that a server may lack."""
    problems = []
    for node in graph.nodes:
        kind = re.search(r"device:([A-Za-z_]+)|/(gpu|tpu):", node.device, re.IGNORECASE)
        if kind and (kind[1] or kind[2]).upper() != "CPU":
            problems.append(f"{node} is bound to `{node.device}`")
    remedy = "export with the GPU hidden and without tf.device"
    return judge("devices", problems, "no node is bound to a GPU or TPU", remedy)


def _first_of_each(nodes: list[Node]) -> list[Node]:
    return list({node.operation: node for node in reversed(nodes)}.values())[::-1]


def _has_its_own_rule(node: Node) -> bool:
    return any(pattern.match(node.operation) for pattern in (PYTHON, CUDNN, XLA))


def _matching(graph: Graph, pattern: re.Pattern[str]) -> list[str]:
    return [str(node) for node in graph.nodes if pattern.match(node.operation)]
