# Trains, evaluates and exports; serving is TF Serving's.
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

COPY pyproject.toml README.md LICENSE ./
COPY seqclf/ seqclf/
RUN pip install --no-deps --no-build-isolation .
COPY configs/ configs/

USER 1000
VOLUME ["/srv/seqclf/runs", "/srv/seqclf/data"]
ENTRYPOINT ["python", "-m", "seqclf.train"]
