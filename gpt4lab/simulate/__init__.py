"""What formulas only average, played out event by event. Nothing is imported here: a simulation needs numpy."""
