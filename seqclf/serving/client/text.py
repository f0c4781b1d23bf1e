"""Scored texts; see `seqclf.client.text`."""

from seqclf.client.text import ScoredText as ScoredText
from seqclf.client.text import scored_texts as scored_texts
