"""Study: a context longer than the one trained on."""
