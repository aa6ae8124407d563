"""The tests of artifact."""
