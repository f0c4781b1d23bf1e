"""`WeightSelection`: validates during a training, and keeps the best weights."""

from typing import Any

from seqclf.config import Config
from seqclf.data.dataset import Dataset
from seqclf.training.criteria import rank_of
from seqclf.training.recovery import Recovery
from seqclf.training.scoring import AnyScore
from seqclf.training.state import State


class WeightSelection:
    """Decides which weights become the model, and whether the training stops early.

    Args:
        config: a config as `effective_config` returns it; `select` and `early_stopping` are read.
        dataset: its validation split is scored.
        scorer: scores the model that is trained.
        recovery: keeps the best weights.
    """

    def __init__(self, config: Config, dataset: Dataset, scorer: Any, recovery: Recovery):
        self._config, self._dataset = config, dataset
        self._scorer, self._recovery = scorer, recovery

    def validate(self, state: State) -> tuple[AnyScore | None, bool]:
        """Scores the validation split, and notes in the state how it compares with the best.

        Args:
            state: where the training stands; its fields of the best validation are updated.

        Returns:
            The score, and whether the weights of now would be the selected ones if the training
            ended here. Without validation examples the score is None.

        Raises:
            TrainingError: all batches since the last validation were skipped, or the weights are
                not finite.
        """
        if not state.interval_examples:
            what = "Every batch since the last validation was skipped"
            raise self._recovery.diverged(what, state.step)
        if not len(self._dataset.validation):
            return None, False
        score = self._scorer(self._dataset.validation)
        best = self._compare(score, state)
        if best:
            state.best_accuracy, state.best_loss = score.accuracy, score.loss
            state.best_step = state.step
            self._recovery.save_best(state.step)
        return score, best or self._config.select == "last"

    def _compare(self, score: AnyScore, state: State) -> bool:
        """Returns whether a score is the best so far; counts the validations without a better one.

        Of two with the same value the one of lower loss is the better. For `early_stopping` this
        does not count: on easy data the loss falls long after all examples are classified rightly.
        """
        value, negative_loss = rank_of(self._config.criterion, score)
        # Checkpoints of version 0.1 have only the accuracy: there a tie is not better.
        best_value = state.best_accuracy if state.best_value is None else state.best_value
        higher = not state.best_step or value > best_value
        tie = value == best_value and state.best_loss is not None
        lower_loss = tie and negative_loss > -(state.best_loss or 0.0)
        if higher:
            state.best_value, state.stale_validations = value, 0
        else:
            state.stale_validations += 1
            state.stopped_early = 0 < self._config.early_stopping <= state.stale_validations
        return higher or lower_loss

    def give_selected_weights(self, state: State) -> None:
        """Gives the model, at the end, the weights that `select` asks for.

        Raises:
            RunError: they cannot be read.
        """
        if self._config.select != "last":
            self._recovery.restore_best(state.best_step)
