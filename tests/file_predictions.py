"""`predict_file`: what `seqclf.predict` predicts for one file."""

from seqclf.serving.predicting.asking import predictions_of
from seqclf.serving.predicting.opening import open_input


def predict_file(model, path, invert=False):
    """Returns the predictions of a `Predictor` for all examples of a file."""
    file = open_input(path, model.input, model.names, invert)
    return [each for part in predictions_of(file, model) for each in part]
