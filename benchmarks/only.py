"""The flag `--only`: which of the things that a benchmark can run are run."""

from collections.abc import Iterable, Sequence

from absl import flags

from seqclf.errors import ConfigError


def define_only(what: str) -> flags.FlagHolder:
    """Defines the flag and returns it.

    Args:
        what: what the names are names of, in the plural.
    """
    return flags.DEFINE_multi_string(
        "only",
        [],
        f"Name of one of the {what}, or a part that several names have. May be given more than "
        "once. Default: all of them.",
    )


def chosen(names: Iterable[str], only: Sequence[str]) -> list[str]:
    """Returns the names that `--only` asks for, in their order; all if it asks for none.

    A whole name stands for itself alone, even where it is a part of another. Names have commas in
    them, so that the flag is given once for each.

    Raises:
        ConfigError: one of `only` is in no name.

    Example:
        >>> chosen(["mean", "mean, dropout", "flip"], ["mean"])
        ['mean']
        >>> chosen(["mean", "mean, dropout", "flip"], ["drop", "flip"])
        ['mean, dropout', 'flip']
    """
    names = list(names)
    wanted = set() if only else set(names)
    for part in only:
        found = {part} if part in names else {name for name in names if part in name}
        if not found:
            raise ConfigError(
                f"`--only` must be one of {'; '.join(names)}, or a part of some of these. "
                f"Received: {part!r}"
            )
        wanted |= found
    return [name for name in names if name in wanted]
