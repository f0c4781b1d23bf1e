"""The rule `golden`: a model gives the outputs that were computed independently of its export."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.serving.verify.checks import Check, judge, skipped
from seqclf.serving.verify.requests import Golden, ProbeRequest, input_problems
from seqclf.serving.verify.results import ProbeSession
from seqclf.serving.verify.run_probe import ProbeResult, as_bytes
from seqclf.serving.verify.signatures import SignatureDefs

RTOL, ATOL = 1e-4, 1e-5


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
        elif problem := _difference(name, result.values[key], np.asarray(expected)):
            problems.append(problem)
    return problems


def _difference(name: str, value: np.ndarray, expected: np.ndarray) -> str:
    """Returns how an output differs from the expected one; empty if it does not."""
    if value.shape != expected.shape:
        return f"{name} is {list(value.shape)}, not {list(expected.shape)}"
    if value.dtype == object or expected.dtype.kind in "OSU":
        pairs = zip(value.ravel().tolist(), expected.ravel().tolist(), strict=True)
        count = sum(_text(a) != _text(b) for a, b in pairs)
        return f"{count} strings of {name} differ" if count else ""
    if _close(value, expected):
        return ""
    largest = np.max(np.abs(value.astype("float64") - expected.astype("float64")))
    return f"{name} differs by up to {largest:.3g}"


def _close(value: np.ndarray, expected: np.ndarray) -> bool:
    if value.dtype.kind in "iub" and expected.dtype.kind in "iub":
        return bool(np.array_equal(value, expected))
    wide = value.astype("float64"), expected.astype("float64")
    return bool(np.allclose(*wide, rtol=RTOL, atol=ATOL, equal_nan=True))


def _text(value: object) -> object:
    return as_bytes(value) if isinstance(value, str | bytes) else value
