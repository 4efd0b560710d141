"""What goes wrong with the embedded engines, in one line for the operator."""


class EngineError(Exception):
    """A server cannot be started, stopped or reached; the message is one line for the operator."""
