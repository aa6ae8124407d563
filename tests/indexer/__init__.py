"""The tests of indexer."""
