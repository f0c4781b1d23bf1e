"""The whole path as functions: fit, evaluate, predict, export, load_run.

`seqclf` itself exports them. Nothing here imports TensorFlow before a function needs it.
"""
