"""The error that the economics raise for an input that makes no sense."""


class EconomicsError(ValueError):
    """An input that makes no sense, said in one sentence for the user."""
