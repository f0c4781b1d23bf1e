"""Exports of a run as a SavedModel for TensorFlow Serving, and predictions from one."""
