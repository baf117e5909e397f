"""The errors of an export."""


class ExportError(Exception):
    """The export cannot begin or continue; one sentence for the user. Files that the manifest names are complete."""


class ChainMoved(Exception):
    """The blocks that were read are not one chain, because a reorganisation came between. Read them again."""
