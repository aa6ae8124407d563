"""Tables as the world writes them: bytes to rows, and the names of columns to fields."""
