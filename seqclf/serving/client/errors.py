"""The errors of a client; see `seqclf.client.errors`."""

from seqclf.client.errors import UNKNOWN_LABEL as UNKNOWN_LABEL
from seqclf.client.errors import BadAnswer as BadAnswer
from seqclf.client.errors import DeadlineExceeded as DeadlineExceeded
from seqclf.client.errors import InputWarning as InputWarning
from seqclf.client.errors import InvalidRequest as InvalidRequest
from seqclf.client.errors import NotFound as NotFound
from seqclf.client.errors import ServerFailed as ServerFailed
from seqclf.client.errors import ServingError as ServingError
from seqclf.client.errors import Unauthorized as Unauthorized
from seqclf.client.errors import Unavailable as Unavailable
