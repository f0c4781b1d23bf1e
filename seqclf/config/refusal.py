"""`refuse`: refuses values of a group of config keys that cannot be used for some data."""

from collections.abc import Mapping

from seqclf.config.settings import Group
from seqclf.errors import ConfigError


def refuse(group: Group, reasons: Mapping[str, str], data: str) -> None:
    """Checks that keys have their defaults.

    Args:
        group: the config, or one of its groups.
        reasons: for each key, or group of keys, that must have its default the reason, as the end
            of a sentence.
        data: what the keys cannot be used for, such as "text".

    Raises:
        ConfigError: one has another value.
    """
    default = type(group)()
    for name, reason in reasons.items():
        value, allowed = getattr(group, name), getattr(default, name)
        if isinstance(value, Group):
            refuse(value, dict.fromkeys(value.to_dict(), reason), data)
        elif value != allowed:
            raise ConfigError(
                f"`{group.prefix}{name}` cannot be used for {data}: {reason}. Leave it at "
                f"{allowed!r}. Received: {value!r}"
            )
