"""`Client`: the client that takes and gives nested lists, over REST."""

from .nested_lists import NestedList, NestedLists
from .rest import RestClient


class Client(RestClient[NestedList]):
    """A model on a server, asked over REST. `connect` makes a client; several threads may share it.

    Tensors are nested lists. Arrays of NumPy and other libraries are taken as well, but never
    given: `numpy.asarray(outputs["probabilities"], "float32")` makes one.
    """

    arrays = NestedLists()
