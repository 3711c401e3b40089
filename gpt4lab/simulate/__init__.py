"""What formulas only average, played out event by event. Nothing is imported here: most of it needs numpy."""
