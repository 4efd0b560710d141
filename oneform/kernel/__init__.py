"""The kernel: what every part stands on. It knows nothing of the domain."""
