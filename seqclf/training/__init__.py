"""The training: step, loop, optimiser, checkpoints, evaluation and metrics."""
