"""Turn pixels into unit vectors."""
