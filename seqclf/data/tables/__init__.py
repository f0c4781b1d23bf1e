"""Tables of sequences: CSV and Parquet files and data frames, read whole or as a stream."""
