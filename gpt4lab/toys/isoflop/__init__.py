"""Study: the best size for a budget of operations."""
