"""Study: what a model repeats of what it read."""
