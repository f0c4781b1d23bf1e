"""Where examples come from (sources) and how they become batches (pipeline)."""
