"""Study: an engine that really decodes for many readers."""
