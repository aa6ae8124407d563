"""Keep what was said, what a person decided on it, and make it again."""
