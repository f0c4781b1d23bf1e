"""What a trained classifier does with a sequence: gates, states, answers by step, gradients."""
