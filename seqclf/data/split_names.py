"""The names of the splits, and the words that stand for them in folders and in columns."""

SPLITS = ("train", "validation", "test")

# The words for a split, in small letters -> the split.
SPLIT_OF = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "val", "valid", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
