"""What the page shows that compares a photograph with its exemplar: made once, in tiles, and kept for a while."""
