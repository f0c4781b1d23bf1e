"""`State`: where a training stands."""

import dataclasses


@dataclasses.dataclass
class State:
    """Where a training stands; with the variables, everything that a resume needs.

    Checkpoints hold the attributes as JSON under these names, so a rename would keep older
    checkpoints from being restored.

    Attributes:
        step: number of steps that have been taken.
        best_accuracy: accuracy of the best validation so far, a fraction; -1 before the first one.
        best_loss: its loss; None before the first one, and in checkpoints of version 0.1.
        best_value: the highest value so far of what validations are compared by (of the loss: its
            negative); None before the first one, and in checkpoints of version 0.1, which compared
            accuracies.
        best_step: the step of the best validation; 0 before the first one.
        stale_validations: number of validations since `best_value` was reached.
        stopped_early: whether `early_stopping` has ended the training.
        interval_loss: sum of the examples' losses since the last validation.
        interval_correct: number of right predictions since the last validation.
        interval_examples: number of examples since the last validation; of text, and where time
            steps have labels, the number of time steps that were predicted.
        skipped: number of batches that were left out because loss or gradients were not finite.
        train_seconds: seconds spent on steps.
        wait_seconds: seconds of these that were spent waiting for data.
    """

    step: int = 0
    best_accuracy: float = -1.0
    best_loss: float | None = None
    best_value: float | None = None
    best_step: int = 0
    stale_validations: int = 0
    stopped_early: bool = False
    interval_loss: float = 0.0
    interval_correct: int = 0
    interval_examples: int = 0
    skipped: int = 0
    train_seconds: float = 0.0
    wait_seconds: float = 0.0
