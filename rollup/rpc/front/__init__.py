"""Front processes: they speak HTTP with a port's clients and prepare transactions, outside the node's own thread."""
