"""Set up once for all tests."""

import os
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # the references are computed on the CPU

import hypothesis
import pytest
import running

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as behind a shell's `&`; children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

FIXED = hypothesis.settings(
    deadline=None,  # the first example of a shape is traced and compiled
    derandomize=True,  # the same examples on every machine
    database=None,
    max_examples=25,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("fixed", FIXED)
# Other examples in each run: --hypothesis-profile=random, as in `make test-slow`.
hypothesis.settings.register_profile("random", FIXED, derandomize=False, print_blob=True)
hypothesis.settings.load_profile("fixed")


@pytest.fixture(autouse=True)
def seeded():
    """Every test starts from the same random state, whatever ran before it."""
    import keras

    keras.utils.set_random_seed(0)


def pytest_configure(config):
    """Starts, once for all xdist workers, the Python from which commands are forked."""
    if getattr(config.option, "numprocesses", None):
        running.start_forking()
