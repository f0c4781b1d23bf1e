"""A folder as a source: one file for each example, images or sequences."""
