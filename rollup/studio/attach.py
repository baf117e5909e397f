"""The Studio's methods on the L2 port of a node."""

from pathlib import Path

from rollup.serve import NodeServers
from rollup.studio.api import Studio
from rollup.studio.economics import Economics
from rollup.studio.language_model import LanguageModel
from rollup.studio.texts import TextStore

_FOLDER = "texts"


def attach_studio(servers: NodeServers, data_dir: Path | None = None, model: LanguageModel | None = None) -> None:
    """Adds the Studio's methods. Texts are kept next to the chains, if these are kept."""
    folder = None if data_dir is None else data_dir / _FOLDER
    l2 = servers.rpc_servers["l2"]
    l2.add(Studio(servers.reader, TextStore(folder), model), Economics(servers.reader, l2))
