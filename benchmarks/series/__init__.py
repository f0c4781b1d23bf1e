"""Archive time series: the recipe `configs/series.py` beside what people would use instead."""
