"""The compiled Solidity twin: the account's code and ABI, in both modes.

twin.json names the compiler and the settings. A test rebuilds it from contracts/attribution and compares.
"""

import json
from importlib.resources import files
from typing import Any, Final

_ARTIFACT: Final[dict[str, Any]] = json.loads(files(__package__).joinpath("twin.json").read_text())

ABI: Final[list[dict[str, Any]]] = _ARTIFACT["abi"]
RUNTIME_CODE: Final = bytes.fromhex(_ARTIFACT["runtime"][2:])
STORAGE_LAYOUT: Final[dict[str, Any]] = _ARTIFACT["storageLayout"]
COMPILER: Final[str] = _ARTIFACT["compiler"]
SETTINGS: Final[dict[str, Any]] = _ARTIFACT["settings"]
