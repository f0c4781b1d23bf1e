"""Text as data: files, tokens, the vocabulary, and windows of tokens for a language model."""
