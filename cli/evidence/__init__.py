"""Show where one photograph and the genuine exemplar agree and where they differ."""
