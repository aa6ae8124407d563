"""Calibrate thresholds and evaluate them, on photographs whose truth is known."""
