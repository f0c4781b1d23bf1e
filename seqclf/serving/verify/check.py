"""`verify`: checks whether TensorFlow Serving can serve a SavedModel, without the server.

The rules are those of the server's sources, release 2.20.0. Some read the files of the version. The
others run the graph through TensorFlow's C API in a process of its own (`probe.py`).
"""

from collections.abc import Sequence
from pathlib import Path

from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from seqclf.serving.verify import graph as graph_rules
from seqclf.serving.verify import signatures as signature_rules
from seqclf.serving.verify.batching import check_batching
from seqclf.serving.verify.checks import Check, describe_checks, skipped
from seqclf.serving.verify.goldens import check_goldens, golden_request
from seqclf.serving.verify.layout import check_layout, read_graphs
from seqclf.serving.verify.manifest import check_manifest
from seqclf.serving.verify.padding import check_padding
from seqclf.serving.verify.requests import Golden, make_signature_requests
from seqclf.serving.verify.results import (
    ProbeSession,
    check_batches,
    check_runs,
    check_shapes,
    check_warmup,
)
from seqclf.serving.verify.run_probe import ProbeReport, run_probe
from seqclf.serving.verify.warmup import read_warmup
from seqclf.serving.versions import version_folder

__all__ = ["RULES", "Check", "Golden", "describe_checks", "verify"]

RULES = (
    *("layout", "manifest", "tag", "signatures", "operations"),
    *("xla", "cudnn", "python functions", "devices"),
    *("batch", "classify", "output types", "batching parameters", "padding", "warm-up", "runs"),
    *("shapes refused", "golden"),
)


def verify(
    version: str | Path,
    *,
    goldens: Sequence[Golden] = (),
    runtime: str | Path | None = None,
    timeout: float = 300,
) -> list[Check]:
    """Checks whether TensorFlow Serving can serve a SavedModel.

    Args:
        version: a folder with a `saved_model.pb`, or a folder of versions, of which the newest is
            checked.
        goldens: inputs with expected outputs.
        runtime: folder with the shared libraries of another TensorFlow to run the model in, such as
            that of the server's release; None: the installed one.
        timeout: seconds for loading and all runs.

    Returns:
        A check for each of `RULES`, in their order.

    Raises:
        ExportError: there is no SavedModel in that folder.
    """
    folder = version_folder(Path(version).expanduser())
    graphs = read_graphs(folder)
    checks = [check_layout(folder, graphs), check_manifest(folder)]
    if graphs:
        checks.append(signature_rules.check_tag(graphs))
    serving = signature_rules.serving_graph(graphs)
    if serving is None:
        failed = next(check.rule for check in checks if check.passed is False)
        return checks + [skipped(rule, f"see `{failed}`") for rule in RULES[len(checks) :]]
    checks += _check_model(folder, serving, checks[0], goldens, runtime, timeout)
    return sorted(checks, key=lambda check: RULES.index(check.rule))


def _check_model(
    folder: Path,
    serving: MetaGraphDef,
    layout: Check,
    goldens: Sequence[Golden],
    runtime: str | Path | None,
    timeout: float,
) -> list[Check]:
    """Judges the rules for which the graph has to be known; see `verify` for the arguments."""
    signatures = signature_rules.read_signatures(serving)
    graph = graph_rules.read_graph(serving.graph_def)
    batching_check, batching = check_batching(folder)
    warmup_problems, warmups = read_warmup(folder, signatures, batching)
    compared = [golden_request(golden, signatures) for golden in goldens]
    given = [*(golden.request for golden in compared if golden.request), *warmups]
    probed = {name: make_signature_requests(name, s, given) for name, s in signatures.items()}
    requests = [*given, *(r for own in probed.values() for r in own.all())]
    calls = [request.call(signatures) for request in requests]
    report = run_probe(folder, sorted(graph.operations), calls, runtime, timeout)
    graph_checks = _check_graph(graph, report)
    failed = [check.rule for check in (layout, *graph_checks) if check.passed is False]
    results = {id(r): result for r, result in zip(requests, report.results, strict=True)}
    session = ProbeSession(report, probed, results, failed)
    return [
        *graph_checks,
        signature_rules.check_signatures(signatures),
        signature_rules.check_classify(signatures),
        signature_rules.check_types(signatures),
        batching_check,
        check_padding(session, signatures, batching),
        check_batches(session, signature_rules.batch_problems(signatures)),
        check_warmup(session, warmup_problems, warmups),
        check_runs(session),
        check_shapes(session),
        check_goldens(session, compared),
    ]


def _check_graph(graph: graph_rules.Graph, report: ProbeReport) -> list[Check]:
    return [
        graph_rules.check_operations(graph, report.kernels, report.runtime),
        graph_rules.check_compilation(graph),
        graph_rules.check_cudnn(graph),
        graph_rules.check_python(graph),
        graph_rules.check_devices(graph),
    ]
