"""What one chapter shows and nothing else, a folder each; no chapter imports another."""
