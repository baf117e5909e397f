"""A chain's data as tables outside the node: Parquet, CSV or JSON lines, with a manifest."""
