# Two images. The default one trains, evaluates and exports; `serving` is TensorFlow Serving with a
# model in it (docs/serving.md).
#
#   docker build --target serving --build-arg MODEL=runs/mine/export -t seqclf-serving .
#   docker run --rm --init -p 127.0.0.1:8500:8500 -p 127.0.0.1:8501:8501 seqclf-serving
#
#   docker build -t seqclf .
#   docker run --rm -v "$PWD/runs:/srv/seqclf/runs" seqclf --config=configs/digits.py
#   docker run --rm -v "$PWD/runs:/srv/seqclf/runs" -v "$PWD/mnist:/mnist:ro" \
#     -e SEQCLF_MNIST_DIR=/mnist seqclf --config=configs/mnist.py
#   docker run --rm -v "$PWD/runs:/srv/seqclf/runs" --entrypoint python seqclf \
#     -m seqclf.evaluate --workdir=runs/mnist
#
# The container's user is 1000; give the mounted runs/ to it, or add --user "$(id -u)".
ARG BASE=python:3.11.14-slim-bookworm
# The same with a C++ compiler, for the native operations.
ARG COMPILER=python:3.11.14-bookworm

# Not last: without --target, the last stage is the one that is built.
FROM tensorflow/serving:2.20.0 AS serving

# A folder of versions below runs/ or models/, as `python -m seqclf.export` writes it.
ARG MODEL=models/seqclf
COPY deploy/batching.config deploy/monitoring.config deploy/healthcheck.sh /etc/seqclf/
COPY ${MODEL} /models/seqclf

USER 1000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["bash", "/etc/seqclf/healthcheck.sh"]
# This replaces the image's script, which would not pass signals on to the server. Arguments after the
# image's name are added to these flags.
ENTRYPOINT ["tensorflow_model_server", \
    "--port=8500", \
    "--rest_api_port=8501", \
    "--rest_api_timeout_in_ms=30000", \
    "--model_name=seqclf", \
    "--model_base_path=/models/seqclf", \
    "--enable_batching=true", \
    "--batching_parameters_file=/etc/seqclf/batching.config", \
    "--enable_per_model_batching_parameters=true", \
    "--monitoring_config_file=/etc/seqclf/monitoring.config", \
    "--enable_grpc_healthcheck_service=true"]
CMD []

# hadolint ignore=DL3006
FROM ${COMPILER} AS wheel

WORKDIR /src
COPY requirements/run.txt requirements/run.txt
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements/run.txt > setuptools.txt \
    && pip install --no-cache-dir --require-hashes --no-deps -r setuptools.txt
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE ./
COPY configs/ configs/
COPY page/ page/
COPY seqclf/ seqclf/
RUN SEQCLF_NATIVE=1 pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

# hadolint ignore=DL3006
FROM ${BASE}

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    TFDS_DATA_DIR=/srv/seqclf/data

WORKDIR /srv/seqclf
RUN useradd --uid 1000 --create-home seqclf \
    && mkdir runs data \
    && chown 1000:1000 runs data

# The packages come before the code: a change of code leaves this layer, the large one, as it is.
COPY requirements/run.txt requirements/run.txt
RUN pip install --require-hashes --no-deps -r requirements/run.txt

COPY configs/ configs/
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-deps /wheels/*.whl

USER 1000
VOLUME ["/srv/seqclf/runs", "/srv/seqclf/data"]
ENTRYPOINT ["python", "-m", "seqclf.train"]
