"""Chapter 01: counting to 1.8 trillion."""
