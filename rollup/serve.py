"""A node's endpoints: which namespaces answer on which port, and the files other programs start from."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rollup.cheats import Cheats
from rollup.control import Control
from rollup.cooperative import Turns
from rollup.execution.conditional import Conditional
from rollup.execution.engine import Engine
from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.files import write_file
from rollup.freed_memory import FreedMemory
from rollup.index.index import Index, IndexUnavailable, genesis_platform
from rollup.l1 import contracts
from rollup.l1.beacon import BeaconApi
from rollup.lanes import Lane
from rollup.metrics import report_pages
from rollup.node import L2Node, Node, NodeError
from rollup.pool.errors import PoolError, pool_error
from rollup.pool.mempool import Mempool
from rollup.pool.rules import decoded
from rollup.protocol import predeploys
from rollup.protocol.accounts import USERS
from rollup.protocol.prepared import Prepared, restore
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import BLOB, Transaction
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.batch_history import BatchHistory
from rollup.rpc.beacon import BeaconServer
from rollup.rpc.blob_cheat_api import BlobCheatApi
from rollup.rpc.block_cheat_api import BlockCheatApi
from rollup.rpc.cheat_api import CheatApi
from rollup.rpc.conditional_api import ConditionalTransactions
from rollup.rpc.control_api import ControlApi
from rollup.rpc.debug import Debug
from rollup.rpc.debug_state import DebugState
from rollup.rpc.debug_trace import DebugTraces
from rollup.rpc.endpoint import Endpoint
from rollup.rpc.engine import EngineApi
from rollup.rpc.errors import RpcError
from rollup.rpc.eth import eth_reads
from rollup.rpc.eth_accounts import EthAccounts
from rollup.rpc.eth_calls import EthCalls
from rollup.rpc.eth_logs import EthLogs
from rollup.rpc.eth_node import EthNode
from rollup.rpc.eth_simulate import EthSimulate
from rollup.rpc.front.fronts import Item, front_count
from rollup.rpc.hosts import Hosts
from rollup.rpc.impersonation_api import ImpersonationApi
from rollup.rpc.instant_blocks import Inclusion, InstantBlocks, NoInclusion
from rollup.rpc.jwt_auth import JwtAuth, read_or_make_secret
from rollup.rpc.limits import MAX_ENGINE_BODY
from rollup.rpc.methods import collect
from rollup.rpc.miner import Miner
from rollup.rpc.net import Net, TxPool
from rollup.rpc.open import Open
from rollup.rpc.open_batches import BatchFinder
from rollup.rpc.open_follow import Follower
from rollup.rpc.open_reader import IndexReader
from rollup.rpc.openrollup import OpenRollup
from rollup.rpc.optimism import Admin, Optimism
from rollup.rpc.origins import Origins
from rollup.rpc.orphans import Orphans
from rollup.rpc.ots import Otterscan
from rollup.rpc.parity_trace import ParityTraces
from rollup.rpc.raw_transactions import RawTransactions
from rollup.rpc.server import RpcServer
from rollup.rpc.state_cheat_api import StateCheatApi
from rollup.rpc.token_cheat_api import TokenCheatApi

ATTRIBUTION: Address = bytes.fromhex("4f50454e00000000000000000000000000000001")


# Where each endpoint listens by default; 0 takes a free port.
PORTS: Mapping[str, int] = {"l1": 8545, "l2": 9545, "verifier": 9546, "rollup": 7545, "beacon": 5052, "engine": 8551}


class NodeServers:
    """Starts and stops all endpoints of a node, and says where they listen."""

    def __init__(
        self,
        node: Node,
        ports: Mapping[str, int],
        host: str,
        jwt_secret: bytes | None = None,
        hosts: Hosts = Hosts(),
        origins: Origins = Origins(),
        is_strict: bool = False,
        processes: int | None = 1,
        takes_conditions: bool = False,
    ) -> None:
        """ports: by the names of PORTS. jwt_secret: 32 bytes that the engine endpoint's callers must know; without it
        there is no such endpoint.

        hosts, origins: the names that the ports may be addressed by, and the web pages that may use them.

        is_strict: developer cheats are refused.

        processes: of the node and its front processes together; None chooses by the number of cores.

        takes_conditions: the L2 port has eth_sendRawTransactionConditional.
        """
        self.host = host
        self.ports = ports
        self.bound: dict[str, int] = {}
        self._freed_memory = FreedMemory()
        indexes = open_index(node, node.l2, "l2"), open_index(node, node.verifier, "verifier")
        self._follower = Follower(indexes, node.turns, Lane.INDEX, node.rush)
        instant = InstantBlocks(node.l2.chain, node.is_block_coming)
        self.endpoints = endpoints(node, self._follower.indexes, instant, jwt_secret, is_strict, takes_conditions)
        if node.l2.pool is not None:
            transactions = RawTransactions(_send_many(node.l2.pool), node.turns, instant)
            self.rpc_servers["l2"].use_fronts(front_count(processes), transactions.take)
        for endpoint in self.endpoints.values():
            endpoint.allow(hosts, origins)

    @property
    def rpc_servers(self) -> dict[str, RpcServer]:
        """The endpoints that answer JSON-RPC, by name."""
        return {name: item for name, item in self.endpoints.items() if isinstance(item, RpcServer)}

    async def start(self) -> None:
        """Opens every port; raises NodeError, with none left open."""
        try:
            for name, endpoint in self.endpoints.items():
                self.bound[name] = await endpoint.start(self.host, self.ports[name])
        except OSError as error:
            await self.stop()
            raise NodeError(str(error)) from error
        self._follower.start()
        self._freed_memory.start()

    async def stop(self) -> None:
        """Closes every port."""
        await asyncio.gather(*(endpoint.stop() for endpoint in self.endpoints.values()))
        await self._freed_memory.stop()
        await self._follower.stop()

    @property
    def reader(self) -> IndexReader:
        """Asks the attribution index of the L2 port."""
        return self._follower.reader(0)

    def url(self, name: str) -> str:
        """Where an endpoint listens."""
        return url_of(self.host, self.bound[name])


def url_of(host: str, port: int) -> str:
    """The URL of a port. An IPv6 address stands in brackets (RFC 3986, section 3.2.2)."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def endpoints(
    node: Node,
    indexes: Sequence[Index],
    inclusion: Inclusion,
    jwt_secret: bytes | None,
    is_strict: bool = False,
    takes_conditions: bool = False,
) -> dict[str, Endpoint]:
    """Every endpoint of a node by its name in PORTS. A node without a verifier has no endpoint for it.

    indexes: of the sequencer's chain, then of the verifier's. inclusion: of the sequencer's chain.
    """
    l1, l2, verifier = _backends(node, inclusion)
    batches = BatchFinder(node.devnet.rollup_config, node.l1.source, node.l1.source)
    l2_open, verifier_open = (Open(index, batches) for index in indexes)
    l2_history, verifier_history = openrollup_namespaces(node)
    turns = node.turns
    found: dict[str, Endpoint] = {
        "l1": execution_server("L1 JSON-RPC", turns, l1, node.l1.pool),
        "l2": execution_server("L2 JSON-RPC", turns, l2, node.l2.pool, Miner(node.l2.engine), l2_open, l2_history),
    }
    if node.params.verifier:
        found["verifier"] = execution_server(
            "verifier JSON-RPC", turns, verifier, None, verifier_open, verifier_history
        )
    rollup = RpcServer("op-node RPC", collect(*_rollup_namespaces(node), l2_history), turns=turns)
    found |= {"rollup": rollup, "beacon": BeaconServer(BeaconApi(node.l1.miner), node.turns)}
    if jwt_secret is not None:
        found["engine"] = engine_server(turns, node.l2.engine, l2, jwt_secret)
    servers = {name: item for name, item in found.items() if isinstance(item, RpcServer)}
    cheats = Cheats(node)
    for backend, layer in ((l1, cheats.l1), (l2, cheats.l2)):
        port = servers[backend.name]
        port.add_methods(CheatApi(layer, cheats, backend).methods(is_strict))
        port.add_methods(BlockCheatApi(layer).methods(is_strict))
        port.add_methods(StateCheatApi(layer, cheats).methods(is_strict))
        port.add_methods(TokenCheatApi(layer, backend).methods(is_strict))
        port.add_methods(BlobCheatApi(backend, _blobs_of(node, backend.name)).methods(is_strict))
        port.add_methods(ImpersonationApi(layer, backend, EthAccounts(backend, turns)).methods(is_strict))
    if takes_conditions and node.l2.pool is not None:
        servers["l2"].add_methods(collect(conditional_namespace(l2, node.l2.pool, turns)))
    rollup.add_methods(ControlApi(Control(cheats)).methods(is_strict))
    rollup.pages.update(report_pages(node, servers))
    return found


def _backends(node: Node, inclusion: Inclusion) -> tuple[ExecutionBackend, ExecutionBackend, ExecutionBackend]:
    """The backends from which the namespaces of L1, L2 and verifier answer."""
    devnet = node.devnet
    keys = {account.address: account.private_key for account in USERS}
    send = _sender(node.l1.miner.send_raw_transaction)
    l1_chain_config = devnet.l1_chain_config_json
    return (
        ExecutionBackend("l1", node.l1.chain, devnet.l1_config, node.l1.pool, send, keys, l1_chain_config),
        l2_backend(node.l2.engine, node.l2.pool, keys, devnet.l2.file.config, inclusion),
        l2_backend(node.verifier.engine, None, {}, devnet.l2.file.config),
    )


def _blobs_of(node: Node, layer: str) -> Callable[[Hash], bytes | None]:
    """A layer's blobs by versioned hash: L2 has none."""

    def blob(versioned_hash: Hash) -> bytes | None:
        stored = node.l1.miner.archive.get(versioned_hash) if layer == "l1" else None
        return None if stored is None else stored.blob

    return blob


def write_config_files(node: Node, directory: Path) -> dict[str, Path]:
    """Writes genesis.json, rollup.json and the L1's; other programs start from them."""
    devnet = node.devnet
    documents: Mapping[str, Any] = {
        "genesis.json": devnet.l2_genesis_json,
        "rollup.json": devnet.rollup_config.to_json(),
        "l1-genesis.json": devnet.l1_genesis_json,
        "l1-chain-config.json": devnet.l1_chain_config_json,
    }
    directory.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, document in documents.items():
        path = directory / name
        write_file(path, json.dumps(document, indent=2) + "\n")
        written[name] = path
    written["jwt.hex"] = directory / "jwt.hex"
    read_or_make_secret(written["jwt.hex"])
    return written


def contract_addresses() -> list[tuple[str, str, Address]]:
    """Layer, name and address of what a user may want to call."""
    return [
        ("L1", "OptimismPortal", contracts.OPTIMISM_PORTAL),
        ("L1", "SystemConfig", contracts.SYSTEM_CONFIG),
        ("L1", "L2OutputOracle", contracts.L2_OUTPUT_ORACLE),
        ("L1", "batch inbox", contracts.BATCH_INBOX),
        ("L2", "Attribution", ATTRIBUTION),
        ("L2", "L1Block", predeploys.L1_BLOCK),
        ("L2", "GasPriceOracle", predeploys.GAS_PRICE_ORACLE),
        ("L2", "L2ToL1MessagePasser", predeploys.L2_TO_L1_MESSAGE_PASSER),
        ("L2", "WETH9", predeploys.WETH9),
    ]


def l2_backend(
    engine: Engine,
    pool: Mempool | None,
    keys: Mapping[Address, bytes],
    chain_config: Mapping[str, Any],
    inclusion: Inclusion = NoInclusion(),
) -> ExecutionBackend:
    """The backend from which the L2 namespaces answer. Without a pool it takes no transactions."""
    send = _sender(_adder(pool)) if pool is not None else None
    rewind = engine.chain.set_head if pool is not None else None
    return ExecutionBackend(
        "l2", engine.chain, engine.config, pool, send, keys, chain_config, rewind=rewind, inclusion=inclusion
    )


def conditional_namespace(backend: ExecutionBackend, pool: Mempool, turns: Turns) -> ConditionalTransactions:
    """The namespace of an L2 whose sequencer takes transactions with a condition."""

    def send(raw: bytes, conditional: Conditional) -> Hash:
        return _sender(_adder(pool, conditional))(raw)

    return ConditionalTransactions(backend, send, turns)


def open_index(node: Node, layer: L2Node, name: str) -> Index:
    """The attribution index of one of the L2 chains, next to its data; raises NodeError."""
    entry = node.devnet.l2.alloc.get(ATTRIBUTION)
    folder = node.params.data_dir
    path = None if folder is None else folder / name / "attribution.sqlite"
    try:
        return Index(layer.chain, layer.engine.config, genesis_platform(entry.storage if entry else {}), path)
    except IndexUnavailable as error:
        raise NodeError(str(error)) from error


def engine_server(turns: Turns, engine: Engine, backend: ExecutionBackend, jwt_secret: bytes) -> RpcServer:
    """The authenticated port: engine_, and the eth_ that a rollup node reads (as on op-geth)."""
    namespaces = [EngineApi(engine), *eth_reads(backend), EthCalls(backend), Net(backend)]
    authorize = JwtAuth(jwt_secret, time.time)
    return RpcServer("Engine API", collect(*namespaces), authorize=authorize, max_body=MAX_ENGINE_BODY, turns=turns)


def execution_server(
    name: str, turns: Turns, backend: ExecutionBackend, pool: Mempool | None, *more: object
) -> RpcServer:
    """The public port of one layer, with more namespaces than every layer has."""
    logs = EthLogs(backend, turns)
    if pool is not None:
        pool.subscribe(logs.on_pending_transactions)
    namespaces = [
        *eth_reads(backend),
        EthCalls(backend),
        EthSimulate(backend),
        EthNode(backend),
        EthAccounts(backend, turns),
    ]
    namespaces += [logs, Net(backend), TxPool(backend), Debug(backend), DebugState(backend), DebugTraces(backend)]
    namespaces += [ParityTraces(backend), Otterscan(backend)]
    return RpcServer(name, collect(*namespaces, *more), logs.subscriptions, turns=turns)


def openrollup_namespaces(node: Node) -> tuple[OpenRollup, OpenRollup]:
    """How L2 blocks stand on L1, as the sequencer's derivation and as the verifier's has it."""
    l1_orphans = Orphans(node.l1.chain, node.clock.now)
    sequencer, verifier = (
        OpenRollup(
            layer.chain,
            BatchHistory(
                node.devnet.rollup_config, layer.chain, layer.derivation.record, node.l1.source, node.l1.client.receipt
            ),
            l1_orphans,
            Orphans(layer.chain, node.clock.now),
        )
        for layer in (node.l2, node.verifier)
    )
    return sequencer, verifier


def _rollup_namespaces(node: Node) -> list[object]:
    return [
        Optimism(node.devnet.rollup_config, node.l2.chain, node.l2.derivation, node.l1.source),
        Admin(
            node.l2.derivation,
            start_sequencer=node.sequencer.start,
            stop_sequencer=node.sequencer.stop,
            is_sequencing=lambda: node.sequencer.is_active,
            start_batcher=node.batcher.start,
            stop_batcher=node.batcher.stop,
            flush_batcher=node.batcher.flush,
            start_proposer=node.proposer.start,
            stop_proposer=node.proposer.stop,
        ),
    ]


def _adder(pool: Mempool, conditional: Conditional | None = None) -> Callable[[bytes], Hash]:
    """Puts a transaction into an L2 pool. It takes no blobs, in whatever form (op-geth: core/txpool/validation.go)."""

    def add(raw: bytes) -> Hash:
        if raw[:1] == bytes((BLOB,)):
            raise pool_error(InvalidTransaction(Refusal.TYPE))
        return pool.add(raw, conditional)

    return add


def _send_many(pool: Mempool) -> Callable[[Sequence[Item]], list[Hash | PoolError]]:
    """Puts transactions that front processes have worked out into an L2 pool."""

    def read(raw: bytes, prepared: Prepared | None) -> Transaction | PoolError:
        if prepared is not None:
            return restore(raw, prepared)
        return pool_error(InvalidTransaction(Refusal.TYPE)) if raw[:1] == bytes((BLOB,)) else decoded(raw)

    return lambda items: pool.add_transactions(read(raw, prepared) for raw, prepared in items)


def _sender(add: Callable[[bytes], Hash]) -> Callable[[bytes], Hash]:
    def send(raw: bytes) -> Hash:
        try:
            return add(raw)
        except PoolError as error:
            raise RpcError(str(error), error.code) from error

    return send
