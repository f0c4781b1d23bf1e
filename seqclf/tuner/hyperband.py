"""Hyperband, with failed trials counted as failed and a limit on the number of trials."""

from typing import Any

import keras_tuner

from seqclf.tuner.mended import COMPLETED, FAILED, RUNNING, MendedOracle

Bracket = dict[str, Any]  # Keras Tuner's: `bracket_num`, and `rounds`, lists of `{id, past_id}`


class MendedHyperband(MendedOracle, keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]  # no types
    """Many trials for a few epochs, the best of them for more (Li et al. 2018, JMLR 18:185).

    A search consists of brackets. Each bracket begins with a round of random trials; each later
    round continues the best trials of the round before it, for more epochs.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Chooses the values of the next trial.

        Args:
            trial_id: the ID that the trial will have.

        Returns:
            Keras Tuner's `status` (`RUNNING`, `IDLE`: ask again later, or `STOPPED`) and, of a
            trial that can run, its `values`.
        """
        while True:
            for bracket in self._brackets:
                values = self._values_in(bracket, trial_id)
                if values is not None:
                    return {"status": RUNNING, "values": values}
            if self._is_last_bracket():
                return {"status": "IDLE" if self.ongoing_trials else "STOPPED"}
            self._increment_bracket_num()
            self._start_new_bracket()

    def planned_epochs(self) -> list[int]:
        """Returns the epochs that each trial adds if none fails, in the order of brackets."""
        epochs = []
        for bracket_num in reversed(range(self._get_num_brackets())):
            before = 0
            for round_num in range(self._get_num_rounds(bracket_num)):
                upto = self._get_epochs(bracket_num, round_num)
                epochs += [upto - before] * self._get_size(bracket_num, round_num)
                before = upto
        return epochs

    def _is_last_bracket(self) -> bool:
        last_iteration = self._current_iteration + 1 == self.hyperband_iterations
        return bool(self._current_bracket == 0 and last_iteration)

    def _values_in(self, bracket: Bracket, trial_id: str) -> dict[str, Any] | None:
        """Returns the values of the next trial of a bracket; None: it has none at present."""
        if len(bracket["rounds"][0]) < self._expected_size(bracket, 0):
            response = self._random_trial(trial_id, bracket)
            if response["status"] == RUNNING:
                values: dict[str, Any] = response["values"]
                return values
            bracket["no_more_values"] = True  # all values of the space have been tried
        for round_num in range(1, len(bracket["rounds"])):
            parent = self._promotable(bracket, round_num)
            if parent is not None:
                return self._promote(bracket, round_num, parent, trial_id)
        return None

    def _promote(
        self, bracket: Bracket, round_num: int, parent: Any, trial_id: str
    ) -> dict[str, Any]:
        """Enters a trial that continues `parent` into a round; returns its values."""
        number = bracket["bracket_num"]
        bracket["rounds"][round_num].append({"past_id": parent.trial_id, "id": trial_id})
        return {
            **parent.hyperparameters.values,
            "tuner/trial_id": parent.trial_id,
            "tuner/epochs": self._get_epochs(number, round_num),
            "tuner/initial_epoch": self._get_epochs(number, round_num - 1),
            "tuner/bracket": number,
            "tuner/round": round_num,
        }

    def _promotable(self, bracket: Bracket, round_num: int) -> Any:
        """Returns the trial of the round before that a round continues next; None: none yet.

        It is the best of the completed trials, as soon as it is sure to be among those that go on,
        however well the others of its round will do.
        """
        rounds = bracket["rounds"]
        places = self._expected_size(bracket, round_num)
        promoted = {info["past_id"] for info in rounds[round_num]}
        before = [self.trials[info["id"]] for info in rounds[round_num - 1]]
        waiting = [t for t in before if t.status == COMPLETED and t.trial_id not in promoted]
        failed = sum(t.status == FAILED for t in before)
        dropped = self._expected_size(bracket, round_num - 1) - places
        if not waiting or len(promoted) >= places or len(waiting) + failed <= dropped:
            return None
        choose = max if self.objective.direction == "max" else min
        return choose(waiting, key=lambda t: t.score)

    def _expected_size(self, bracket: Bracket, round_num: int) -> int:
        """Returns how many trials a round will have: fewer than planned if too many failed."""
        rounds = bracket["rounds"]
        if round_num == 0 and bracket.get("no_more_values"):
            return len(rounds[0])
        planned: int = self._get_size(bracket["bracket_num"], round_num)
        if round_num == 0:
            return planned
        failed = sum(self.trials[info["id"]].status == FAILED for info in rounds[round_num - 1])
        places: int = min(planned, self._expected_size(bracket, round_num - 1) - failed)
        return places
