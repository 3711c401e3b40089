"""Chapter 08: eight ways, fifteen stages."""
