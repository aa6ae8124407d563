"""Prepare what answers rest on: inputs, building, simulation, training, measuring, the demonstration."""
