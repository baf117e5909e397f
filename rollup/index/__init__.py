"""The index: what the chain's attribution events add up to, in SQLite beside the chain data."""
