"""Training: step, loop, optimiser, checkpoints, evaluation and metrics."""
