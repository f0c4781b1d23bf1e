"""The client for REST; it needs neither TensorFlow nor grpc."""

import numpy as np

from seqclf.client import rest
from seqclf.serving.client.base import Client


class RestClient(Client, rest.RestClient[np.ndarray]):
    """A client for TensorFlow Serving's REST API; `connect` makes one."""
