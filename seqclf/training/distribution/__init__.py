"""Training on several devices, processes and machines: the workers and what they exchange."""
