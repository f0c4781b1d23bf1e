"""The rule `padding`: where sizes vary, the server may pad requests to share a batch.

Without padding, the server refuses every batch of requests whose inputs differ in size. With it,
the outputs must not depend on the padding.
"""

from seqclf.serving.verify.batching import Batching
from seqclf.serving.verify.checks import Check, judge, skipped
from seqclf.serving.verify.comparison import output_difference
from seqclf.serving.verify.requests import ProbeRequest
from seqclf.serving.verify.results import ProbeSession
from seqclf.serving.verify.run_probe import ProbeResult
from seqclf.serving.verify.signatures import SignatureDefs, varying_axes


def check_padding(
    session: ProbeSession, signatures: SignatureDefs, batching: Batching | None
) -> Check:
    """Judges whether requests of different sizes may share a batch.

    Args:
        session: the requests and their results.
        signatures: all signatures.
        batching: the batching parameters; None if there are none, or invalid ones.
    """
    rule = "padding"
    varying = [
        f"`{key}` of `{name}`"
        for name, signature in signatures.items()
        for key, info in sorted(signature.inputs.items())
        if varying_axes(info)
    ]
    if not varying:
        return skipped(rule, "no numeric input varies in size beside the batch")
    if batching is None:
        return skipped(rule, "the server does not batch: see `batching parameters`")
    if not batching.pads:
        problem = f"the size of {', '.join(varying)} varies, but pad_variable_length_inputs is off"
        remedy = "set it to true, or the server refuses requests of different sizes in one batch"
        return judge(rule, [problem], "", remedy)
    if excuse := session.excuse():
        return skipped(rule, excuse)
    problems, compared = [], 0
    for requests in session.signatures.values():
        if not requests.padding or not session.runs(requests):
            continue
        compared += 1
        problems += _padding_problems(session, *requests.padding)
    if not compared:
        return skipped(rule, "no signature whose sizes vary is known to run: see `runs`")
    remedy = "take the valid length of each example as an input, and mask what is beyond it"
    found = f"{compared} signatures give the same outputs for padded requests"
    return judge(rule, problems, found, remedy)


def _padding_problems(
    session: ProbeSession, alone: ProbeRequest, padded: ProbeRequest
) -> list[str]:
    results = session.result(alone), session.result(padded)
    if not results[0] or not results[1]:
        return []
    for request, result in zip((alone, padded), results, strict=True):
        if result and result.error:
            return [f"{request.label}: {result.error}"]
    problems = []
    for key in results[0].values:
        name = f"`{key}` of `{padded.signature}`, padded,"
        problems.append(_difference(name, results[1], results[0], key))
    return [problem for problem in problems if problem]


def _difference(name: str, padded: ProbeResult, alone: ProbeResult, key: str) -> str:
    """Returns how an output of the padded request differs, apart from its own padding."""
    value, expected = padded.values[key], alone.values[key]
    if value.ndim == expected.ndim:
        value = value[tuple(slice(size) for size in expected.shape)]
    return output_difference(name, value, expected)
