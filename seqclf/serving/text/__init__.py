"""Language models that are exported and asked: signatures, scores, and writing from a prefix."""
