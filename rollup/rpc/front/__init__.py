"""Front processes: they speak HTTP with a port's clients and work out transactions, beside the node's own thread."""
