"""Chapter 02: sixteen experts, two at a time."""
