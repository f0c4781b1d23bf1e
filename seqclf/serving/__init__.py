"""From a run to a SavedModel that TF Serving takes, and back to answers."""
