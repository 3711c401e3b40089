"""Chapter 11: a third of a cent."""
