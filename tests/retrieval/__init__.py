"""The tests of retrieval."""
