"""Training on several devices, processes and machines: who takes part, and what they exchange."""
