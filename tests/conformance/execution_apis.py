"""The schemas and examples of ethereum/execution-apis, as one JSON file.

python -m tests.conformance.execution_apis GIT_DIR writes it, from a clone's git directory. Schemas are taken as they
are there, without prose and examples. Every allOf is merged into its object, as execution-apis' own tool merges it.
Examples are taken where they hold on any chain.
"""

import json
import subprocess
import sys
from pathlib import Path

import yaml

from rollup.files import write_file

FILE = Path(__file__).with_name("execution_apis.json")
_PROSE = {"description", "summary", "title", "examples", "externalDocs", "error-groups", "errors", "tags"}
_FOLDERS = ("src/eth", "src/debug", "src/txpool", "src/engine/openrpc")
# What an example's answer says on a chain that lacks what it asks for, or nothing but the request.
_ON_ANY_CHAIN = (
    *("debug_getRawBlock/get-invalid-number", "debug_getRawHeader/get-invalid-number"),
    *("debug_getRawReceipts/get-genesis", "debug_getRawReceipts/get-invalid-number"),
    *("debug_getRawTransaction/get-invalid-hash", "debug_traceBlockByHash/trace-block-not-found"),
    *("debug_traceBlockByNumber/trace-block-invalid-number", "debug_traceBlockByNumber/trace-genesis"),
    "debug_traceTransaction/trace-unknown-tx",
    *("eth_getBalance/get-balance-unknown-account", "eth_getBlockByHash/get-block-by-empty-hash"),
    *("eth_getBlockByHash/get-block-by-notfound-hash", "eth_getBlockByNumber/get-block-notfound"),
    *("eth_getBlockReceipts/get-block-receipts-0", "eth_getBlockReceipts/get-block-receipts-earliest"),
    *("eth_getBlockReceipts/get-block-receipts-empty", "eth_getBlockReceipts/get-block-receipts-not-found"),
    *("eth_getBlockTransactionCountByNumber/get-genesis", "eth_getCode/get-code-unknown-account"),
    *("eth_getLogs/filter-error-future-block-range", "eth_getLogs/filter-error-invalid-blockHash-and-range"),
    "eth_getLogs/filter-error-reversed-block-range",
    *("eth_getStorageAt/get-storage-invalid-key-too-large", "eth_getStorageAt/get-storage-invalid-key"),
    *("eth_getStorageValues/get-storage-values-empty-request", "eth_getTransactionByHash/get-empty-tx"),
    *("eth_getTransactionByHash/get-notfound-tx", "eth_getTransactionCount/get-nonce-unknown-account"),
    *("eth_getTransactionReceipt/get-empty-tx", "eth_getTransactionReceipt/get-notfound-tx"),
    "eth_syncing/check-syncing",
)


class Source:
    """A clone, read by git."""

    def __init__(self, folder):
        self._folder = folder
        self.revision = self._git("rev-parse", "HEAD").strip()

    def _git(self, *words):
        return subprocess.run(["git", "-C", self._folder, *words], check=True, capture_output=True, text=True).stdout

    def names(self, under):
        return self._git("ls-tree", "-r", "--name-only", "HEAD", under).split()

    def text(self, path):
        return self._git("show", f"HEAD:{path}")


def bare(value):
    """A schema without prose. A property may have a name that is prose elsewhere."""
    if isinstance(value, list):
        return [bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: {key: bare(part) for key, part in item.items()} if name == "properties" else bare(item)
        for name, item in value.items()
        if name == "properties" or name not in _PROSE
    }


def merged(value, schemas):
    """A schema in which no object has allOf: properties and requirements are united, the object's own words win."""
    if isinstance(value, list):
        return [merged(item, schemas) for item in value]
    if not isinstance(value, dict):
        return value
    result = {name: merged(item, schemas) for name, item in value.items() if name != "allOf"}
    for part in value.get("allOf", []):
        while "$ref" in part:
            part = schemas[part["$ref"].rsplit("/", 1)[1]]
        part = merged(part, schemas)
        properties = {**part.get("properties", {}), **result.get("properties", {})}
        required = sorted({*part.get("required", []), *result.get("required", [])})
        result = {**part, **result}
        result |= {"properties": properties} if properties else {}
        result |= {"required": required} if required else {}
    return result


def collected(source):
    """Methods with the schemas of their results and parameters, and the schemas that these refer to."""
    schemas, found = {}, []
    for path in source.names("src"):
        if not path.endswith(".yaml"):
            continue
        document = yaml.safe_load(source.text(path))
        if "/schemas/" in path:
            schemas |= bare(document)
        elif path.startswith(_FOLDERS):
            found += document
    methods = {
        item["name"]: {
            "params": [
                {"name": part["name"], "required": part.get("required", False)} for part in item.get("params", [])
            ],
            "result": merged(bare(item["result"]["schema"]), schemas),
        }
        for item in found
    }
    return methods, {name: merged(schema, schemas) for name, schema in schemas.items()}


def example(text):
    """The first request and its answer."""
    lines = [line for line in text.splitlines() if line.startswith((">>", "<<"))]
    request, answer = json.loads(lines[0][3:]), json.loads(lines[1][3:])
    return {
        "method": request["method"],
        "params": request.get("params", []),
        **{name: answer[name] for name in ("result", "error") if name in answer},
    }


def main():
    """Writes the file."""
    source = Source(sys.argv[1])
    methods, schemas = collected(source)
    document = {
        "source": "https://github.com/ethereum/execution-apis",
        "revision": source.revision,
        "licence": "CC0-1.0",
        "methods": methods,
        "schemas": schemas,
        "examples": {name: example(source.text(f"tests/{name}.io")) for name in _ON_ANY_CHAIN},
    }
    write_file(FILE, json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
