"""The former place of `seqclf.config.search_space`: recipes of version 0.1 import from here."""

from seqclf.config.search_space import Choice, Range, SearchSpace

__all__ = ["Choice", "Range", "SearchSpace"]
