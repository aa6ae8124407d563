"""Who comes to the desk, what they may do, and what they did."""
