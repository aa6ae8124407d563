"""What answers a probe: images, encoder, catalogue, vectors, search, thresholds, decision, metrics."""
