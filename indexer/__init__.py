"""What is prepared offline: scanning, building, simulation, the demonstration, the shipped weights."""
