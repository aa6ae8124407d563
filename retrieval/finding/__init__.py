"""Find which works a photograph shows, and where on it."""
