"""Study: what more experts buy, and what they learn."""
