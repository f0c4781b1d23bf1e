"""The server's counters, under the names that TensorFlow Serving uses for the same things."""

import contextlib
import time
from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from seqclf.serving.server.fault import fault_from_error

LATENCY_BOUNDS = (  # seconds
    *(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05),
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)


class Metrics:
    """Counters of one server.

    Attributes:
        requests: number of requests by model, API, entry point and status.
        latency: duration of requests in microseconds.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        # TensorFlow Serving has no such second line for each counter.
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library's
        labels = ["model_name", "API", "entrypoint"]
        self.requests = Counter(
            ":tensorflow:serving:request_count",
            "Requests by their outcome.",
            [*labels, "status"],
            registry=self._registry,
        )
        self.latency = Histogram(
            ":tensorflow:serving:request_latency",
            "From the whole request to its answer, in microseconds.",
            labels,
            buckets=[second * 1e6 for second in LATENCY_BOUNDS],
            registry=self._registry,
        )

    def prometheus_text(self) -> bytes:
        """Returns all metrics in Prometheus's text format."""
        # The client library adds a suffix that TensorFlow Serving's counters do not have.
        return generate_latest(self._registry).replace(b":request_count_total", b":request_count")

    @contextlib.contextmanager
    def measure_request(self, model: str, api: str, entrypoint: str) -> Iterator[None]:
        """Counts a request by its outcome and records its duration.

        Args:
            model: name of the model.
            api: `predict`, `classify`, …
            entrypoint: `REST` or `GRPC`.
        """
        started = time.perf_counter()
        status = "OK"
        try:
            yield
        except BaseException as error:
            status = fault_from_error(error).code
            raise
        finally:
            self.requests.labels(model, api, entrypoint, status).inc()
            microseconds = (time.perf_counter() - started) * 1e6
            self.latency.labels(model, api, entrypoint).observe(microseconds)
