"""What an export refuses."""


class ExportError(Exception):
    """The export cannot begin or go on; one sentence for the user. What the manifest names is whole."""


class ChainMoved(Exception):
    """The blocks read are no longer one chain: a reorganisation came between. Read again."""
