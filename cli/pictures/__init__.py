"""Draw with Pillow: maps, strips, thumbnails, curves."""
