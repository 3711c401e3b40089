"""Study: the noise of gradients, and the batch that it suggests."""
