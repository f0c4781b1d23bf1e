"""What is kept on disk: atomic writes, locks, run directories, the description of the machine."""
