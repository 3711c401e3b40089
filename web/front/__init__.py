"""What runs on a page: its scripts, and the Python that they start."""
