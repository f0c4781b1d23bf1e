"""The batching parameters of our exports, in one place for all code that must agree on them.

TensorFlow Serving reads `batching_params.pbtxt` in a version's folder when it is started with
`--enable_batching --enable_per_model_batching_parameters`. It pads a batch up to the next allowed
size, so that TensorFlow sees few shapes; the warm-up has a request of each. docs/serving.md
explains the numbers.
"""

from seqclf.client.options import MAX_BATCH_SIZE as MAX_BATCH_SIZE

# The largest is the largest request: TensorFlow Serving requires that the two are equal.
BATCH_SIZES = (1, 2, 4, 8, 16, 32, MAX_BATCH_SIZE)
BATCH_TIMEOUT_MICROS = 1000  # how long a request waits for others: about the time of one prediction
MAX_ENQUEUED_BATCHES = 100  # when so many wait, a request gets a 503 at once


def batching_params(variable_length: bool = False) -> str:
    """Returns the content of `batching_params.pbtxt`, a BatchingParameters message as text.

    Args:
        variable_length: whether the model takes sequences of varying lengths. Then the server pads
            the sequences of a batch to one length; otherwise it would refuse a batch of requests
            whose lengths differ. For a model of one length, padding would hide wrong shapes.
    """
    sizes = "".join(f"allowed_batch_sizes: {size}\n" for size in BATCH_SIZES)
    return (
        f"max_batch_size {{ value: {MAX_BATCH_SIZE} }}\n"
        f"batch_timeout_micros {{ value: {BATCH_TIMEOUT_MICROS} }}\n"
        f"max_enqueued_batches {{ value: {MAX_ENQUEUED_BATCHES} }}\n"
        f"{sizes}" + ("pad_variable_length_inputs: true\n" if variable_length else "")
    )
