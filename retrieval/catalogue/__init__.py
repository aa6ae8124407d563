"""Keep the genuine objects: SQLite holds the truth, FAISS files are derived from it."""
