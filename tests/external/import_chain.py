"""op-geth with the blocks of a node of ours, handed over by the Engine API: no op-node, and no waiting."""

import json
import subprocess
import time
from urllib.request import Request, urlopen

from rollup.protocol.primitives import ZERO_HASH
from rollup.rpc.engine_json import payload_to_json
from rollup.serve import write_config_files
from tests.external.op_stack import Program, free_port, need_program
from tests.rpc.engine_driver import bearer, token


def post(url, method, *params, headers=None):
    """The answer, with its result or its error."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
    request = Request(url, body, {"Content-Type": "application/json", **(headers or {})})
    with urlopen(request, timeout=60) as response:
        return json.loads(response.read())


class ImportedChain:
    """op-geth on a node's genesis, with its L2 blocks up to the head."""

    def __init__(self, node, folder, *options):
        """options: more of op-geth's own."""
        path = need_program("op-geth")
        files = write_config_files(node, folder)
        self._secret = bytes.fromhex(files["jwt.hex"].read_text().strip().removeprefix("0x"))
        data, rpc, engine = folder / "op-geth", free_port(), free_port()
        self.url, self._engine = f"http://127.0.0.1:{rpc}", f"http://127.0.0.1:{engine}"
        subprocess.run([path, "init", "--datadir", data, files["genesis.json"]], check=True, capture_output=True)
        self.program = Program(
            folder / "op-geth.log",
            *(path, "--datadir", data, "--networkid", 901, "--gcmode=archive", "--syncmode=full"),
            *("--http", "--http.api=eth,debug,net,web3", "--http.port", rpc, "--authrpc.port", engine),
            *("--authrpc.jwtsecret", files["jwt.hex"], "--port", 0, "--nodiscover", "--maxpeers", 0, "--ipcdisable"),
            *options,
        )
        self.program.wait_for(self.url)
        for number in range(1, node.l2.chain.head.number + 1):
            self._import(node.l2.chain.block_by_number(number))

    def _import(self, block):
        root = "0x" + block.header.parent_beacon_block_root.hex()
        status = self._engine_call("engine_newPayloadV4", payload_to_json(block), [], root, [])
        assert status["result"]["status"] == "VALID", status
        zero = "0x" + ZERO_HASH.hex()
        heads = {"headBlockHash": "0x" + block.hash.hex(), "safeBlockHash": zero, "finalizedBlockHash": zero}
        self._engine_call("engine_forkchoiceUpdatedV3", heads, None)

    def _engine_call(self, method, *params):
        headers = bearer(token(self._secret, iat=int(time.time())))
        return post(self._engine, method, *params, headers=headers)

    def answer(self, method, *params):
        """Result or error, without the frame around it."""
        found = post(self.url, method, *params)
        return {name: found[name] for name in ("result", "error") if name in found}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.__exit__()
