"""Accuracy records by one protocol: what is chosen, what is read of a test split, what is kept."""
