"""Tests of the desk in the browser."""
