"""The transaction pool, used by both layers: admission, order, journal."""
