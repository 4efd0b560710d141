"""What is held: current values, what they superseded, and where each came from."""
