"""Say of each work on a photograph what it is."""
