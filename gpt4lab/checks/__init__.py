"""The library held against what others published; wrong rows stay in."""
