"""Make of one photograph what a camera would, and what a forger would."""
