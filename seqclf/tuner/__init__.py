"""Keras Tuner searches over this package's own training."""

from seqclf.tuner.hypermodel import ClassifierHyperModel as ClassifierHyperModel
