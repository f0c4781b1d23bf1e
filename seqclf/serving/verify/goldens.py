"""The rule `golden`: a model gives the outputs that were computed independently of its export."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.serving.verify.checks import Check, judge, skipped
from seqclf.serving.verify.comparison import output_difference
from seqclf.serving.verify.requests import Golden, ProbeRequest, input_problems
from seqclf.serving.verify.results import ProbeSession
from seqclf.serving.verify.run_probe import ProbeResult
from seqclf.serving.verify.signatures import SignatureDefs


@dataclass(frozen=True)
class GoldenRequest:
    """A golden with the request that asks for it.

    Attributes:
        golden: inputs and expected outputs.
        request: the request; None if it cannot be sent.
        problems: why it cannot be sent.
    """

    golden: Golden
    request: ProbeRequest | None
    problems: tuple[str, ...] = ()


def golden_request(golden: Golden, signatures: SignatureDefs) -> GoldenRequest:
    """Returns the request for a golden, or why it cannot be sent to these signatures."""
    name = golden.signature
    if name not in signatures:
        return GoldenRequest(golden, None, (f"there is no signature `{name}` to compare",))
    problems = input_problems(signatures[name], golden.inputs)
    if problems:
        return GoldenRequest(golden, None, tuple(f"`{name}`: {problem}" for problem in problems))
    label = f"right answers of `{name}`"
    return GoldenRequest(golden, ProbeRequest("golden", name, golden.inputs, label))


def check_goldens(session: ProbeSession, goldens: Sequence[GoldenRequest]) -> Check:
    """Judges whether the model gives the expected outputs.

    Args:
        session: the requests and their results.
        goldens: the expected outputs with their requests.
    """
    if not goldens:
        return skipped("golden", "no right answers were given")
    problems: list[str] = []
    compared = 0
    for golden in goldens:
        problems += golden.problems
        requests = session.signatures.get(golden.golden.signature)
        result = session.result(golden.request) if golden.request else None
        if not result or not requests or not session.runs(requests):
            continue
        compared += 1
        problems += [result.error] if result.error else differences(golden.golden, result)
    if not compared and not problems:
        return skipped("golden", session.excuse() or "the signatures do not run: see `runs`")
    remedy = "the export does not compute what the model does"
    return judge("golden", problems, f"{compared} requests answered rightly", remedy)


def differences(golden: Golden, result: ProbeResult) -> list[str]:
    """Returns a line for each output that differs from the expected one."""
    problems = []
    for key, expected in golden.outputs.items():
        name = f"`{key}` of `{golden.signature}`"
        if key not in result.values:
            problems.append(f"there is no {name}")
        elif problem := output_difference(name, result.values[key], np.asarray(expected)):
            problems.append(problem)
    return problems
