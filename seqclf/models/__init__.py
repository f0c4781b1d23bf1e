"""The classifier: how a config becomes one, how it is traced, and how a saved one is loaded."""

from seqclf.models.classifier import build_classifier, trace_classifier, traceable

__all__ = ["build_classifier", "trace_classifier", "traceable"]
