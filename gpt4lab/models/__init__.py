"""What has no one-line formula: a training step, an answer, searches. Import the module that you need."""
