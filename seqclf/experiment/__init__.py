"""A whole experiment: data, training, evaluation, report and export."""
