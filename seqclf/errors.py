"""The errors that a user can mend. Commands print them as one message, without a traceback.

`SeqclfError`, the base of all, and `ConfigError` are defined in `seqclf.client.errors`: the client
is also a distribution of its own, and must not need the rest of seqclf.
"""

from seqclf.client.errors import ConfigError as ConfigError
from seqclf.client.errors import SeqclfError as SeqclfError

# Tracebacks and pickles name them as users import them.
SeqclfError.__module__ = ConfigError.__module__ = __name__


class DataError(SeqclfError, ValueError):
    """A dataset is missing, damaged or holds values that cannot be trained on."""


class RunError(SeqclfError):
    """A run directory cannot be used: it has another config or dataset, or is no run."""

    exit_status = 2


class ExportError(SeqclfError):
    """An exported model is missing, damaged or does not fit its input."""


class TrainingError(SeqclfError):
    """Training cannot go on, for instance because the loss is no longer a number."""


class WorkerLostError(TrainingError):
    """Another process of a training cannot be reached, or is gone."""


class StorageError(SeqclfError):
    """A file cannot be written: the disk is full, or the place is read-only or not the user's."""


class SearchError(SeqclfError):
    """A search has found nothing, or its chief and workers do not find each other."""


class Interrupted(KeyboardInterrupt):
    """A signal has asked for the end of the process, and the work so far has been saved.

    It is not an `Exception`, so that no handler on the way takes it for a failure.

    Args:
        signal: number of the signal.
        saved: a sentence about what was saved, and where; "" if there was nothing to save.
    """

    def __init__(self, signal: int, saved: str = ""):
        super().__init__(saved)
        self.signal = signal
        self.saved = saved

    @property
    def exit_status(self) -> int:
        """The status that shells give a process that a signal has ended."""
        return 128 + self.signal
