"""The files of the UEA and UCR archives of time series: `.ts` and `.tsv`."""
