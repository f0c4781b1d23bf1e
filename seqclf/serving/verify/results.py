"""The rules that are judged by running a model: it answers, batches and refuses wrong shapes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from seqclf.serving.verify.checks import Check, judge, skipped
from seqclf.serving.verify.requests import BATCHES, ProbeRequest, SignatureRequests
from seqclf.serving.verify.run_probe import ProbeReport, ProbeResult


@dataclass(frozen=True)
class ProbeSession:
    """The requests that were made to a model, with their results.

    Attributes:
        report: what the probe found.
        signatures: the requests to each signature, by its name.
        results: the results of all requests, by the identity of the request.
        failed_rules: the rules that failed on the graph; errors are attributed to them.
    """

    report: ProbeReport
    signatures: dict[str, SignatureRequests]
    results: dict[int, ProbeResult | None]
    failed_rules: list[str]

    def result(self, request: ProbeRequest) -> ProbeResult | None:
        """Returns the result of a request; None if the probe did not reach it."""
        return self.results.get(id(request))

    def first_result(self, requests: SignatureRequests) -> ProbeResult | None:
        """Returns the result of a signature's first valid request; None if there is none."""
        return self.result(requests.batches[0]) if requests.batches else None

    def runs(self, requests: SignatureRequests) -> bool:
        """Returns whether the signature answers a valid request."""
        first = self.first_result(requests)
        return first is not None and not first.error

    @property
    def causes(self) -> str:
        """The failed rules that may explain an error, for a message; empty if none failed."""
        return " and ".join(f"`{rule}`" for rule in self.failed_rules)

    def excuse(self) -> str:
        """Returns why no rule that needs a run can be judged; empty if they can."""
        if self.report.failure:
            return f"the model could not be loaded: see {self.causes or '`runs`'}"
        return ""


@dataclass
class _RunFindings:
    """The findings from the first request to each signature.

    Attributes:
        problems: errors that nothing else explains.
        notes: signatures that cannot be judged, each with the reason.
        answered: signatures that answered.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)


def check_runs(session: ProbeSession) -> Check:
    """Judges whether each signature answers a request of one example."""
    report = session.report
    if report.failure and session.causes:
        return skipped("runs", f"see {session.causes}; loading it: {report.failure}")
    if report.failure:
        return judge("runs", [f"{report.runtime}: {report.failure}"], "")
    findings = _RunFindings()
    for name, requests in session.signatures.items():
        _judge_signature(name, requests, session, findings)
    if not findings.answered and not findings.problems:
        return skipped("runs", "; ".join(findings.notes) or "there is no signature")
    found = f"{report.runtime} answers {', '.join(findings.answered)}"
    found = "; ".join([found, *findings.notes])
    return judge("runs", findings.problems, found, "the server would answer with this error")


def _judge_signature(
    name: str, requests: SignatureRequests, session: ProbeSession, findings: _RunFindings
) -> None:
    """Adds the outcome of the first request to a signature to the findings."""
    result = session.first_result(requests)
    if requests.reason:
        findings.notes.append(requests.reason)
    elif result is None:
        findings.notes.append(f"`{name}` was not reached")
    elif not result.error:
        findings.answered.append(f"`{name}` (a {requests.source} request)")
    elif explained := _explanation(requests, result, session):
        findings.notes.append(f"`{name}`{explained}")
    else:
        findings.problems.append(f"`{name}`, a {requests.source} request: {result.error}")


def _explanation(requests: SignatureRequests, result: ProbeResult, session: ProbeSession) -> str:
    """Returns a cause other than the model that may explain an error; empty if there is none."""
    if session.causes:
        return f": see {session.causes}; running it: {result.error}"
    if requests.source == "warm-up":
        return f": see `warm-up`; running it: {result.error}"
    if requests.source == "made-up" and result.invalid:
        return f" refuses ones: {result.error}: give warm-up requests"
    return ""


def check_batches(session: ProbeSession, problems: list[str]) -> Check:
    """Judges whether the first dimension of every output is the batch.

    Args:
        session: the requests and their results.
        problems: what is wrong with the shapes that the signatures declare.
    """
    remedy = "leave the first dimension of every input and output open, for the batch"
    running = [requests for requests in session.signatures.values() if session.runs(requests)]
    if problems:
        return judge("batch", problems, "", remedy)
    for requests in running:
        for size, request in zip(BATCHES, requests.batches, strict=True):
            problems += _batch_problems(request, size, session.result(request))
    sizes = " and ".join(map(str, BATCHES))
    found = "open in every signature" + (f"; batches of {sizes} came back" if running else "")
    return judge("batch", problems, found, remedy)


def _batch_problems(request: ProbeRequest, size: int, result: ProbeResult | None) -> list[str]:
    if result is None:
        return []
    if result.error:
        return [f"{request.label}: {result.error}"]
    return [
        f"{request.label}: `{key}` came back as {list(shape)}"
        for key, shape in result.shapes.items()
        if not shape or shape[0] != size
    ]


def check_shapes(session: ProbeSession) -> Check:
    """Judges whether the graph refuses inputs of wrong shapes; the server itself does not."""
    rule = "shapes refused"
    if excuse := session.excuse():
        return skipped(rule, excuse)
    problems, count = [], 0
    running = [requests for requests in session.signatures.values() if session.runs(requests)]
    for request in (request for requests in running for request in requests.wrong):
        result = session.result(request)
        count += result is not None
        if result and not result.error:
            problems.append(f"{request.label} was answered")
        elif result and not result.invalid:
            problems.append(f"{request.label} ended in {result.error}")
    if not running:
        return skipped(rule, "no signature is known to run: see `runs`")
    if not count:
        return skipped(rule, "no numeric input has a fixed size beside the batch")
    remedy = "put tf.ensure_shape at the top of the endpoint, for the server checks no shapes"
    return judge(rule, problems, f"{count} requests of wrong shapes", remedy)


def check_warmup(
    session: ProbeSession, problems: list[str] | None, requests: Sequence[ProbeRequest]
) -> Check:
    """Judges whether the warm-up records are valid, and whether each is answered.

    Args:
        session: the requests and their results.
        problems: what is wrong with the records; None if there is no warm-up file.
        requests: the records that could be sent.
    """
    if problems is None:
        return skipped("warm-up", "there are no warm-up requests in assets.extra/")
    results = [(request, session.result(request)) for request in requests]
    failed = [f"{request.label}: {r.error}" for request, r in results if r and r.error]
    remedy = "the server refuses to load the model: write the file again"
    if problems:
        return judge("warm-up", problems, "", remedy)
    if session.report.failure or (failed and session.failed_rules):
        reason = session.excuse() or f"see {session.causes}"
        return skipped("warm-up", f"{len(requests)} sound records; not run: {reason}")
    return judge("warm-up", failed, f"{len(requests)} records, each answered", remedy)
