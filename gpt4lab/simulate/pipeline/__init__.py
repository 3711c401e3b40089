"""A pipeline schedule played out: `play.play`."""
