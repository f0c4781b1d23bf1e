"""What the commands share: flags, messages and exit status, signals, progress."""
