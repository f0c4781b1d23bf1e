"""The names of the files in a version, for all code that writes, checks or reads them.

TensorFlow Serving reads the warm-up and the batching parameters under exactly these names. It
ignores everything else in `assets.extra`.
"""

from seqclf.storage.files import TEMPORARY

GRAPH = "saved_model.pb"
WARMUP = "assets.extra/tf_serving_warmup_requests"
BATCHING = "batching_params.pbtxt"
MANIFEST = "assets.extra/manifest.json"
CARD = "assets.extra/model_card.md"
METADATA = "assets.extra/seqclf.json"
LITERT = "assets.extra/model.tflite"
ONNX = "assets.extra/model.onnx"
SAMPLE = "text.txt"  # in `RUN/samples`: the beginning of the test part of a text
# Prefix of the folder in which a version is written before it is published. The server ignores it:
# it takes only names that are integers.
STAGING = TEMPORARY
