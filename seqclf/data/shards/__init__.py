"""Datasets larger than memory: TFRecord files (shards) with a schema beside them."""
