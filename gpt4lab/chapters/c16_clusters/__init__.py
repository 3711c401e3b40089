"""Chapter 16: one hundred and twenty-eight GPUs."""
