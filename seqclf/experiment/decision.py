"""`choose_decision`: fits temperature and threshold of an export on the validation split."""

from typing import Any

import numpy as np

from seqclf.data.dataset import Dataset
from seqclf.errors import ConfigError
from seqclf.experiment.run_evaluation import score_run
from seqclf.serving.decision import Decision, Target, Threshold
from seqclf.storage.run_directory import Run
from seqclf.training.calibration import at_temperature, choose_threshold, fit_temperature
from seqclf.training.scores import calibration_error, log_loss
from seqclf.training.text_evaluation import TextScore


def choose_decision(
    run: Run, calibrate: bool, target: Target | None, dataset: Dataset | None = None
) -> Decision:
    """Fits a temperature, if asked for, and chooses a threshold that reaches a target, if given.

    Args:
        run: a trained run.
        calibrate: whether to fit a temperature.
        target: what a threshold is to reach; None: there is no threshold.
        dataset: the data that the run was trained on; None: it is loaded as the config says.

    Raises:
        RunError: the run has no model yet, or its data has changed since.
        ConfigError: a threshold is asked for, and there are not two classes, or not that class.
        DataError: no temperature can be fitted, or no threshold reaches the target.
    """
    if not calibrate and target is None:
        return Decision()
    score, spec = score_run(run, "validation", dataset)
    if isinstance(score, TextScore):
        raise ConfigError(
            "A temperature and a threshold are for classes; a language model takes a temperature "
            "when it writes (python -m seqclf.generate --temperature). Leave out --calibrate, "
            "--target_recall and --target_precision."
        )
    labels, probabilities = score.labels, score.probabilities
    facts: dict[str, Any] = {"split": "validation", "examples": len(labels)}
    temperature, threshold = 1.0, None
    if calibrate:
        temperature = fit_temperature(labels, probabilities)
        before, probabilities = probabilities, at_temperature(probabilities, temperature)
        facts["temperature"] = temperature
        for name, function in (("log_loss", log_loss), ("calibration_error", calibration_error)):
            facts[name] = [function(labels, before), function(labels, probabilities)]
    if target is not None:
        index = _class_of(target, labels, spec.class_names)
        chosen = choose_threshold(
            labels == index, probabilities[:, index], target.kind, target.value
        )
        threshold = Threshold(index, chosen.probability)
        facts |= {
            "class": spec.class_names[index],
            "threshold": chosen.probability,
            "target": {target.kind: target.value},
            "recall": chosen.recall,
            "precision": chosen.precision,
        }
    return Decision(temperature, threshold, facts)


def _class_of(target: Target, labels: np.ndarray, class_names: tuple[str, ...]) -> int:
    """Returns the index of the class that a target is about."""
    if len(class_names) != 2:
        raise ConfigError(
            f"target_{target.kind} is for data of two classes: leave it out. Received: "
            f"{len(class_names)} classes"
        )
    if not target.class_name:
        return int((labels == 1).sum() <= (labels == 0).sum())
    if target.class_name not in class_names:
        raise ConfigError(
            f"target_{target.kind} is for one of the classes {class_names[0]!r} and "
            f"{class_names[1]!r}. Received: {target.class_name!r:.80}"
        )
    return class_names.index(target.class_name)


def decision_in_words(decision: Decision) -> list[str]:
    """Returns a line about the temperature and one about the threshold, where there are such."""
    facts, lines = decision.facts, []
    where = f"on {facts.get('examples', 0):,} validation examples"
    if "temperature" in facts:
        (loss, new_loss), (error, new_error) = facts["log_loss"], facts["calibration_error"]
        lines.append(
            f"Calibrated with temperature {facts['temperature']:.4g}: log loss {loss:.4f} to "
            f"{new_loss:.4f}, calibration error {error:.4f} to {new_error:.4f} {where}"
        )
    if "threshold" in facts:
        name = " ".join(facts["class"].splitlines())
        lines.append(
            f"Class '{name}' is answered from a probability of {facts['threshold']:.4g} on: recall "
            f"{facts['recall']:.2%}, precision {facts['precision']:.2%} {where}"
        )
    return lines
