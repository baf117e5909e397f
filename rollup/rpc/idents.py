"""Ids of filters and subscriptions."""

import secrets


def new_ident() -> str:
    """A random id that nobody can guess, as a quantity without leading zeros (geth rpc/subscription.go)."""
    return hex(secrets.randbits(128))
