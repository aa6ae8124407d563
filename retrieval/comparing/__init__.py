"""Lay one photograph over another, and measure place by place how far they differ."""
