"""Chapter 07: from 8k to 32k."""
