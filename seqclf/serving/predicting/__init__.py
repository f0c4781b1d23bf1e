"""Predictions for files: what is read from them, in batches, and the table that is written."""
