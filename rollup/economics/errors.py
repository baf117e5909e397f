"""What the economics refuse."""


class EconomicsError(ValueError):
    """An input that makes no sense, said in one sentence for the user."""
