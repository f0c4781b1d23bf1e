"""Puts the local server under load and abuse: many clients at once, every answer checked.

    python -m benchmarks.serving                # 60 s, 32 clients; prints tables
    python -m benchmarks.serving --server=http://HOST:8501 --grpc_server=HOST:8500 --export_dir=…

First all clients send good requests of several kinds; in the middle of this time a new version is
published. Then they send bad requests as well, for a third of the time. With `--server` the
requests go to a TensorFlow Serving that serves the export in `--export_dir`. The clients run in
this process, on the same cores as the server, so the processor time of the server is printed.
"""

import asyncio
import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

SECONDS = flags.DEFINE_float("seconds", 60.0, "Seconds of load.", 1.0)
CLIENTS = flags.DEFINE_integer(
    "clients", 32, "Number of clients that send requests at the same time.", 1
)
SERVER = flags.DEFINE_string(
    "server", None, "Base URL of a server that runs already; default: start one."
)
GRPC_SERVER = flags.DEFINE_string("grpc_server", None, "gRPC address, HOST:PORT, of --server.")
EXPORT_DIR = flags.DEFINE_string(
    "export_dir", None, "Folder of versions that --server serves; default: make one."
)
OUTPUT = flags.DEFINE_string("output", None, "JSON file for the results.")

UNITS = 100
TOLERANCE = 1e-5


@dataclass
class Tally:
    """The results of one kind of request.

    Attributes:
        seconds: time to each answer.
        wrong: number of wrong answers.
        failed: message of each failure.
    """

    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass
class Kind:
    """One kind of request, with the probabilities that must come back."""

    name: str
    expected: np.ndarray
    body: bytes = b""
    api: str = "predict"
    message: Any = None  # for gRPC


def make_export(folder: Path) -> Path:
    """Exports an untrained [100, 100] classifier of MNIST's shape."""
    import keras

    from seqclf.config import resolve
    from seqclf.data.dataset import DatasetSpec
    from seqclf.models.classifier import build_classifier
    from seqclf.serving.export import export_model

    names = tuple(map(str, range(10)))
    spec = DatasetSpec("random", "rows", (28, 28), "uint8", names, scale=(1 / 255,))
    keras.utils.set_random_seed(0)
    model = build_classifier(resolve({"model": {"units": [UNITS, UNITS]}}), spec)
    return export_model(model, spec, folder)


def kinds(version: Path) -> list[Kind]:
    """Returns the kinds of requests, with the predictions of the export without a server."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    from seqclf.serving.predictor import Predictor
    from seqclf.serving.warmup import WarmupExamples

    predictor = Predictor(version)
    rng = np.random.default_rng(0)
    made = []
    for name, size in (
        ("REST rows, 1", 1),
        ("REST columns, 8", 8),
        ("REST PNG, 1", 1),
        ("REST classify, 4", 4),
        ("gRPC, 1", 1),
        ("gRPC, 32", 32),
    ):
        x = rng.integers(0, 256, (size, *predictor.spec.raw_shape), dtype=np.uint8)
        answers = predictor.predict(x, None, [""] * size)
        kind = Kind(name, np.stack([answer.probabilities for answer in answers]))
        if "rows" in name:
            kind.body = json.dumps({"instances": x.tolist()}).encode()
        elif "columns" in name:
            kind.body = json.dumps({"inputs": x.tolist()}).encode()
        elif "PNG" in name:
            (png,) = WarmupExamples(x).feed("serving_bytes", predictor.spec, "uint8")["image_bytes"]
            encoded = {"b64": base64.b64encode(png).decode()}
            kind.body = json.dumps(
                {"signature_name": "serving_bytes", "instances": [encoded]}
            ).encode()
        elif "classify" in name:
            kind.api = "classify"
            examples = [{"inputs": each.ravel().tolist()} for each in x]
            kind.body = json.dumps({"signature_name": "classify", "examples": examples}).encode()
        else:
            kind.message = predict_pb2.PredictRequest()
            kind.message.model_spec.name = "seqclf"
            kind.message.inputs["inputs"].CopyFrom(tf.make_tensor_proto(x))
        made.append(kind)
    return made


async def load(kinds: list[Kind], rest: str, grpc_address: str, until: float) -> dict[str, Tally]:
    """Lets all clients send the kinds of requests in turn, until the time `until`."""
    import aiohttp
    import grpc
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    tallies = {kind.name: Tally() for kind in kinds}
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        grpc.aio.insecure_channel(grpc_address) as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        async def client(start: int) -> None:
            turn = start
            while time.monotonic() < until:
                kind = kinds[turn % len(kinds)]
                turn += 1
                await ask(kind, tallies[kind.name], session, stub, rest)

        await asyncio.gather(*(client(i) for i in range(CLIENTS.value)))
    return tallies


def bad_requests() -> dict[str, bytes]:
    """Returns request bodies that must be refused, by name."""

    def encoded(content: bytes) -> bytes:
        picture = {"b64": base64.b64encode(content).decode()}
        return json.dumps({"signature_name": "serving_bytes", "instances": [picture]}).encode()

    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (50_000).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0"
    zeros = [[0] * 28] * 28
    return {
        "shape": json.dumps({"instances": [[[0] * 28] * 56]}).encode(),
        "type": json.dumps({"instances": [[[0.5] * 28] * 28]}).encode(),
        "signature": json.dumps({"signature_name": "other", "instances": [zeros]}).encode(),
        "ragged rows": json.dumps({"instances": [[[0] * 28] * 27 + [[0] * 27]]}).encode(),
        "NaN": json.dumps({"instances": [[[float("nan")] * 28] * 28]}).encode(),
        "65 examples": json.dumps({"instances": [zeros] * 65}).encode(),
        "truncated JSON": b'{"instances": [[[0, 0',
        "base64": b'{"signature_name": "serving_bytes", "instances": [{"b64": "%%%"}]}',
        "no picture": encoded(b"x" * 1000),
        "PNG bomb, 50,000 × 50,000": encoded(header + bytes(20)),
        "100 MB": b" " * 100_000_000,
    }


async def abuse(
    kinds: list[Kind], rest: str, grpc_address: str, seconds: float
) -> tuple[dict[str, Tally], dict[str, dict[str, int]], dict[str, str]]:
    """Sends bad requests beside the load, with one client for each kind.

    Returns:
        Tallies of the good requests; statuses of the bad ones by kind; a message to each kind.
    """
    import aiohttp

    until = time.monotonic() + seconds
    statuses: dict[str, dict[str, int]] = {}
    said: dict[str, str] = {}

    async def client(name: str, body: bytes, session: Any) -> None:
        counts = statuses.setdefault(name, {})
        while time.monotonic() < until:
            try:
                address = f"{rest}/v1/models/seqclf:predict"
                # In pieces: written at once, a large one would hold up all clients.
                async with session.post(address, data=io.BytesIO(body)) as response:
                    said[name] = (await response.text())[:100]
                    status = str(response.status)
            except aiohttp.ClientError as error:
                # It may hang up on a body that it has refused before all of it was sent.
                status = type(error).__name__
            counts[status] = counts.get(status, 0) + 1
            await asyncio.sleep(1 if len(body) > 1_000_000 else 0.02)  # it is work for us too

    async with aiohttp.ClientSession() as session:
        bad = [client(name, body, session) for name, body in bad_requests().items()]
        tallies, _ = await asyncio.gather(
            load(kinds, rest, grpc_address, until), asyncio.gather(*bad)
        )
    return tallies, statuses, said


async def ask(kind: Kind, tally: Tally, session: Any, stub: Any, rest: str) -> None:
    """Sends one request and compares the answer with the expected one."""
    started = time.perf_counter()
    try:
        if kind.message is not None:
            response = await stub.Predict(kind.message, timeout=30)
            answer: Any = response.outputs["probabilities"]
        else:
            address = f"{rest}/v1/models/seqclf:{kind.api}"
            async with session.post(address, data=kind.body) as response:
                answer = await response.read()
                if response.status != 200:
                    tally.failed.append(f"{response.status} {answer[:100]!r}")
                    return
    except Exception as error:
        tally.failed.append(f"{type(error).__name__}: {error}"[:200])
        return
    tally.seconds.append(time.perf_counter() - started)
    got = probabilities(kind, answer)
    if got.shape != kind.expected.shape or np.abs(got - kind.expected).max() > TOLERANCE:
        tally.wrong += 1


def probabilities(kind: Kind, answer: Any) -> np.ndarray:
    if kind.message is not None:
        return np.array(answer.float_val or np.frombuffer(answer.tensor_content, "<f4")).reshape(
            kind.expected.shape
        )
    document = json.loads(answer)
    if kind.api == "classify":
        return np.array([[score for _, score in row] for row in document["results"]])
    if "outputs" in document:
        return np.array(document["outputs"]["probabilities"])
    return np.array([row["probabilities"] for row in document["predictions"]])


async def watch(process: subprocess.Popen[str], until: float) -> list[dict[str, float]]:
    """Samples the memory and the processor time of the server once a second."""
    samples = []
    while time.monotonic() < until:
        times = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(times[11]) + int(times[12])
        samples.append(
            {
                "resident_mib": resident_mib(process),
                "cpu_seconds": ticks / os.sysconf("SC_CLK_TCK"),
            }
        )
        await asyncio.sleep(1)
    return samples


def resident_mib(process: subprocess.Popen[str]) -> float:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


async def publish_in_the_middle(version: Path, seconds: float) -> str:
    """Publishes a second version in the middle of the load, by one rename, as an export does."""
    from seqclf.serving.publish import publish, staging

    await asyncio.sleep(seconds / 2)

    def copy() -> str:
        with staging(version.parent) as folder:
            shutil.copytree(version, folder, dirs_exist_ok=True)
            return publish(folder, version.parent).name

    return await asyncio.get_running_loop().run_in_executor(None, copy)


def start(export_dir: Path) -> tuple[subprocess.Popen[str], str, str]:
    """Starts our own server; returns it and its addresses."""
    command = [sys.executable, "-m", "seqclf.serve", f"--export_dir={export_dir}"]
    process = subprocess.Popen(
        [*command, "--port=0", "--grpc_port=0"], stdout=subprocess.PIPE, text=True
    )
    said = ""
    for line in process.stdout or ():
        said += line
        if "Ctrl-C" in line:
            break
    rest = re.search(r"REST\s+(http://[^/]+)", said)
    grpc_address = re.search(r"gRPC\s+(\S+)", said)
    if rest is None or grpc_address is None:
        process.terminate()
        sys.exit(f"Error: the server did not say its addresses. It said: {said!r}")
    return process, rest[1], grpc_address[1]


async def measure(version: Path) -> dict[str, Any]:
    process: subprocess.Popen[str] | None = None
    rest, grpc_address = SERVER.value, GRPC_SERVER.value
    if rest is None:
        process, rest, grpc_address = start(version.parent)
    try:
        requests = kinds(version)
        await load(requests, rest, grpc_address, time.monotonic() + 2)  # warm
        until = time.monotonic() + SECONDS.value
        under_load = load(requests, rest, grpc_address, until)
        own: dict[str, Any] = {}
        if process is None:
            tallies = await under_load
        else:
            tallies, samples, published = await asyncio.gather(
                under_load, watch(process, until), publish_in_the_middle(version, SECONDS.value)
            )
            cpu = samples[-1]["cpu_seconds"] - samples[0]["cpu_seconds"]
            own = {
                "published": published,
                "memory_mib": [round(sample["resident_mib"]) for sample in samples],
                "server_cores": cpu / (len(samples) - 1),
                "memory_mib_before_and_after_abuse": [resident_mib(process)],
            }
        good, statuses, said = await abuse(requests, rest, grpc_address, SECONDS.value / 3)
        if process is not None:
            own["memory_mib_before_and_after_abuse"].append(resident_mib(process))
    finally:
        if process is not None:
            process.terminate()
            process.wait()
    figures = {
        "clients": CLIENTS.value,
        "seconds": SECONDS.value,
        "kinds": table(tallies, SECONDS.value),
        "beside_abuse": table(good, SECONDS.value / 3)[-1],
        "abuse": {name: {"statuses": statuses[name], "said": said.get(name)} for name in statuses},
    }
    if process is not None:
        figures |= own | {"exit_status": process.returncode}
    return figures


def table(tallies: dict[str, Tally], seconds: float) -> list[dict[str, Any]]:
    """Returns a row of results for each kind of request, and one for all requests."""
    everything = Tally()
    for tally in tallies.values():
        everything.seconds += tally.seconds
        everything.wrong += tally.wrong
        everything.failed += tally.failed
    rows = []
    for name, tally in [*tallies.items(), ("all", everything)]:
        p50, p99 = np.percentile(tally.seconds or [np.nan], [50, 99]) * 1e3
        rows.append(
            {
                "request": name,
                "answered": len(tally.seconds),
                "per_second": len(tally.seconds) / seconds,
                "p50_ms": p50,
                "p99_ms": p99,
                "wrong": tally.wrong,
                "failed": len(tally.failed),
                "first_failures": tally.failed[:3],
            }
        )
    return rows


def show(figures: dict[str, Any]) -> None:
    print(f"{figures['clients']} clients, {figures['seconds']:g} s\n")
    print("| request | answers/s | p50, ms | p99, ms | wrong | failed |\n|---|--:|--:|--:|--:|--:|")
    for row in [*figures["kinds"], figures["beside_abuse"] | {"request": "all, beside abuse"}]:
        print(
            f"| {row['request']} | {row['per_second']:.0f} | {row['p50_ms']:.1f} "
            f"| {row['p99_ms']:.1f} | {row['wrong']} | {row['failed']} |"
        )
        for failure in row["first_failures"]:
            print("  " + failure)
    print("\n| bad request | answers | the first of what was said |\n|---|---|---|")
    for name, row in figures["abuse"].items():
        counts = ", ".join(f"{status}: {count}" for status, count in row["statuses"].items())
        print(f"| {name} | {counts} | {row['said']} |")
    if "memory_mib" in figures:
        memory = figures["memory_mib"]
        before, after = figures["memory_mib_before_and_after_abuse"]
        print(
            f"\nserver: {figures['server_cores']:.2f} cores under load; memory, MiB: {memory[0]} "
            f"at first, {memory[len(memory) // 3]} after a third, {memory[-1]} at the end, "
            f"{max(memory)} at most; {before:.0f} before the abuse, {after:.0f} after it; version "
            f"{figures['published']} published in the middle; exit status {figures['exit_status']}"
        )


def main(argv: list[str]) -> None:
    del argv
    with tempfile.TemporaryDirectory() as folder:
        if EXPORT_DIR.value:
            from seqclf.serving.versions import version_folder

            version = version_folder(Path(EXPORT_DIR.value))
        else:
            version = make_export(Path(folder) / "models")
        figures = asyncio.run(measure(version))
    show(figures)
    if OUTPUT.value:
        Path(OUTPUT.value).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    app.run(main)
