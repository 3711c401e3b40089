"""Chapter 09: sixty-three million dollars."""
