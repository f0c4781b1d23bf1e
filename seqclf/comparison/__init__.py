"""The recurrent cells side by side: one recipe, several seeds, equal width and equal size."""

BUDGETS = ("width", "parameters")  # what the cells may have in common
