"""Verdicts as data: the shape `artifact/1`, its order of urgency, its lines."""
