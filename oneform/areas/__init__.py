"""Areas and the subjects that live in them: import, changes over time, reading."""
