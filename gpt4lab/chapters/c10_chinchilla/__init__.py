"""Chapter 10: Chinchilla's verdict."""
