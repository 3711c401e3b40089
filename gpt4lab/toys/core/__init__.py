"""What every study stands on: corpus, network, optimiser, training, recordings."""
