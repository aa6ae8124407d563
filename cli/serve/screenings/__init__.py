"""Screenings that are begun at the desk: kept in a folder each, run one at a time by a process of their own."""
