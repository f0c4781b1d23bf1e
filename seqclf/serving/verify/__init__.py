"""Verification: checks whether TensorFlow Serving can serve a SavedModel, without a server."""
