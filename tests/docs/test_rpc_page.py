"""The pages of JSON-RPC and the ports say the same: methods, parameters, limits, and what is not there."""

import json
import re

import pytest

from rollup import cheats, serve
from rollup.cli.run import command as run
from rollup.execution.calls import GAS_CAP
from rollup.l1.beacon import BeaconApi
from rollup.node import Node, NodeParams
from rollup.pool.limits import PoolLimits
from rollup.rpc import engine, errors, fees, jwt_auth, limits
from rollup.rpc.absent import ABSENT
from rollup.rpc.beacon import beacon_app
from rollup.rpc.methods import NAMESPACES, rpc
from rollup.rpc.miner import Miner
from rollup.serve import execution_server, l2_backend
from tests.docs.pages import named, page, section, sections
from tests.docs.rpc_tables import (
    COMMAND,
    PAGES,
    explained_types,
    namespaces,
    rows_of,
    servers_of,
    type_name,
    written_pages,
)

TEXT = page("rpc.md")
LIMITS = page("rpc-limits.md")
ALL = "".join(page(name) for name in PAGES)
METHOD = re.compile(rf"(?:{'|'.join(sorted(NAMESPACES))})_\w+")
PORTS = {name: str(port) for name, port in serve.PORTS.items() if name != "beacon"}


@pytest.fixture(scope="module")
def node():
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000))
    yield node
    node.close()


@pytest.fixture(scope="module")
def all_servers(node):
    return servers_of(node)


@pytest.fixture(scope="module")
def servers(all_servers):
    return {PORTS[name]: item for name, item in all_servers.rpc_servers.items()}


def documented():
    """The ports that the pages give for each method."""
    found = {}
    for part in re.split(r"^(?=Ports: )", ALL, flags=re.MULTILINE)[1:]:
        ports = set(re.findall(r"\b\d{4}\b", part.split(".")[0]))
        for cells in re.findall(r"^\| (`.*?`) \| .*\|$", part.split("\n## ")[0], flags=re.MULTILINE):
            for name in filter(METHOD.fullmatch, named(cells)):
                assert name not in found, f"{name} stands twice"
                found[name] = ports
    return found


def test_the_tables_are_those_of_the_declarations(all_servers):
    for name, text in written_pages(all_servers).items():
        assert text == page(name), f"run {COMMAND}"


def test_every_declared_method_says_what_it_answers():
    for kind in namespaces().values():
        for row in rows_of(kind):
            assert row.text.endswith("."), row.names


def test_every_type_of_a_parameter_is_explained():
    explained = explained_types()
    assert all(text.endswith(".") for text in explained.values())
    parsers = {parser for kind in namespaces().values() for row in rows_of(kind) for _, parser in row.parameters}
    for name in {type_name(getattr(parser, "parser", parser)) for parser in parsers}:
        assert re.sub(r"^(list of )+| of \d.*$", "", name) in explained, name


def test_every_port_answers_the_methods_of_the_pages_and_no_others(servers):
    assert set(servers) == set(PORTS.values())
    for port, found in servers.items():
        assert {name for name, ports in documented().items() if port in ports} == found.names, port


def test_the_table_of_ports(servers):
    defaults = {option.opts[0]: str(option.default) for option in run.params}
    rows = {row[0]: row for row in sections(TEXT)[0].rows}
    for port, row in rows.items():
        assert defaults[named(row[1])[0]] == port
    first = set(named(rows["8545"][3]))
    for port in PORTS.values():
        said = set(named(rows[port][3])) | (first if "the same" in rows[port][3] else set())
        assert said == {name.split("_")[0] for name in servers[port].names}


def test_the_engine_alone_has_what_its_paragraph_says(node, servers):
    backend = l2_backend(node.l2.engine, node.l2.pool, {}, {})
    more = Miner(node.l2.engine), serve.conditional_namespace(backend, node.l2.pool, node.turns)
    alone = execution_server("L2 JSON-RPC", node.turns, backend, node.l2.pool, *more)
    others = ("anvil", "evm", "hardhat", "open", "openrollup")
    cheats = {"eth_sendUnsignedTransaction"}
    assert alone.names == {name for name in servers["9545"].names if name.split("_")[0] not in others} - cheats


def test_the_limits_of_the_cheats():
    text = " ".join(page("cheats.md").split())
    assert f"At most {cheats.MAX_BLOCKS:,} blocks" in text
    assert f"At most {cheats.MAX_SNAPSHOTS:,} snapshots" in text


def test_the_beacon_paths(node):
    app = beacon_app(BeaconApi(node.l1.miner))
    served = {resource.canonical for resource in app.router.resources()}
    assert {path for row in section(TEXT, "Beacon paths").rows for path in named(row[0])} == served


def test_every_error_code_has_its_row():
    codes = [value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)]
    assert len(codes) > 10
    for code in codes:
        assert re.search(rf"(?<![\d-]){code}\b", ALL + LIMITS), code


def test_the_limits():
    text = " ".join((ALL + LIMITS).split())
    said = {row[0]: row[1] for row in section(LIMITS, "Limits").rows}
    pool = PoolLimits()
    assert said["connections of a port"] == f"{limits.MAX_CONNECTIONS:,}"
    assert said["WebSockets of a port"] == f"{limits.MAX_WEBSOCKETS}"
    assert said["idle time of a connection, time for headers to come"] == f"{limits.IDLE_SECONDS} s"
    assert f"pinged every {limits.PING_SECONDS} s" in text
    assert said["time for a body to come"] == f"{limits.READ_SECONDS} s"
    assert said["time for the rest of a refused body to come"] == f"{limits.SKIP_SECONDS} s"
    assert said["time for an answer or notification to be taken"] == f"{limits.SEND_SECONDS} s"
    assert said["time for the requests in work to be answered when a port closes"] == f"{limits.STOP_SECONDS} s"
    assert said["a request's body on 8551"] == f"{limits.MAX_ENGINE_BODY >> 20} MiB"
    large = f"bodies above {limits.LARGE_BODY >> 10} KiB in work at once on a port"
    assert said[large] == f"{limits.MAX_LARGE_BODIES}"
    assert said["a request's body"] == f"{limits.MAX_BODY >> 20} MiB"
    half_sent = "what the WebSockets of a port have sent and has no answer yet, half-sent messages too"
    assert said[half_sent] == f"{limits.MAX_PORT_HALF_SENT >> 20} MiB"
    values = "values of a request's JSON: its commas, brackets and braces"
    assert said[values] == f"{limits.MAX_VALUES:,}"
    assert said["calls in a batch"] == f"{limits.MAX_BATCH:,}"
    assert said["answers of a batch"] == f"{limits.MAX_BATCH_ANSWER:,} bytes"
    assert said["gas of a call"] == f"{GAS_CAP:,}"
    assert said["time of a call"] == f"{limits.CALL_SECONDS} s"
    assert f"(timeout = {limits.CALL_SECONDS}s)" in text
    assert said["slots of `eth_getProof`"] == f"{limits.MAX_PROOF_KEYS:,}"
    assert said["filters on a port"] == f"{limits.MAX_FILTERS:,}"
    assert said["addresses of a log query"] == f"{limits.MAX_ADDRESSES:,}"
    assert (
        said["topics of a log query"] == f"{limits.MAX_TOPICS_PER_POSITION:,} at each of {limits.MAX_TOPIC_POSITIONS}"
    )
    assert said["percentiles of `eth_feeHistory`"] == f"{limits.MAX_PERCENTILES}"
    assert said["cost of a transaction's condition"] == f"{limits.MAX_CONDITION_COST:,} lookups"
    rate = f"{limits.CONDITION_COST_PER_SECOND:,} lookups per second, {limits.CONDITION_COST_BURST:,} at once"
    assert said["cost of all conditions"] == rate
    assert f"where that would take more than {limits.SEND_SECONDS} s" in text
    assert said["code that a call overrides"] == f"{limits.MAX_OVERRIDE_CODE:,} bytes of all accounts together"
    assert said["slots that a call overrides"] == f"{limits.MAX_OVERRIDE_SLOTS:,}"
    assert said["slots of `eth_getStorageValues`"] == f"{limits.MAX_STORAGE_VALUES:,}"
    pages = said["accounts of `debug_accountRange`, slots of `debug_storageRangeAt`"]
    assert pages == f"{limits.MAX_ACCOUNT_RANGE}, {limits.MAX_STORAGE_RANGE:,}"
    assert said["transactions of a page of `ots_`"] == f"{limits.MAX_OTS_PAGE}"
    simulated = f"{limits.MAX_SIMULATED_BLOCKS}, {limits.MAX_SIMULATED_BLOCK_CALLS:,} calls in each"
    assert said["blocks of `eth_simulateV1`"] == f"{simulated}, {limits.MAX_SIMULATED_CALLS:,} in all"
    assert said["time of a trace, for each transaction"] == f"{limits.TRACE_SECONDS:.0f} s, or `timeout`"
    assert said["what the traces of a request hold"] == f"{limits.MAX_TRACE_BYTES >> 20} MiB"
    assert f"more than {limits.MAX_TRACE_BYTES} bytes" in text
    assert said["tracers of a `muxTracer`"] == f"{limits.MAX_TRACERS}"
    assert said["blocks of `trace_filter`"] == f"{limits.MAX_TRACE_BLOCKS}"
    assert said["traces of `trace_filter`"] == f"{limits.MAX_TRACES:,}"
    assert said["time of a log search"] == f"{limits.LOG_SECONDS} s"
    assert said["addresses and topics of all filters of a port"] == f"{limits.MAX_CRITERIA:,}"
    assert said["addresses and topics of all subscriptions of a port"] == f"{limits.MAX_CRITERIA:,}"
    assert said["time between two polls of a filter"] == f"{limits.FILTER_SECONDS} s"
    assert said["changes of the chain that a filter may be behind"] == f"{limits.MAX_JOURNAL:,}"
    assert said["subscriptions of a port"] == f"{limits.MAX_PORT_SUBSCRIPTIONS:,}"
    assert f"{limits.MAX_LOG_BYTES >> 20} MiB of logs" in text
    assert said["subscriptions of a connection"] == f"{limits.MAX_SUBSCRIPTIONS:,}"
    assert said["notifications that a connection leaves unread"] == f"{limits.MAX_UNSENT >> 20} MiB"
    assert said["notifications that all connections of a port leave unread"] == f"{limits.MAX_PORT_UNSENT >> 20} MiB"
    assert said["a transaction in the pool"] == f"{pool.max_transaction_size:,} bytes"
    assert said["a transaction's fee at its cap"] == f"{pool.fee_cap // 10**18} ether of OPEN"
    assert f"{limits.MAX_LOG_BLOCKS:,} blocks apart" in text
    assert f"{limits.MAX_LOGS:,} logs" in text
    assert f"at most {limits.MAX_FEE_HISTORY:,} blocks" in text
    assert f"at most {engine._MAX_BODIES:,}" in text
    assert f"within {jwt_auth.MAX_DRIFT} seconds" in text
    assert f"at least {fees.DEFAULT_TIP:,} wei" in text


def test_a_method_that_is_listed_as_absent_cannot_be_declared():
    with pytest.raises(ValueError, match="listed as absent"):
        rpc("engine_getBlobsV1")


@pytest.mark.parametrize("name", ABSENT)
async def test_an_absent_method_is_refused_with_geths_text(name, servers):
    assert name not in documented()
    for found in servers.values():
        answer = json.loads(await found.handle(json.dumps({"jsonrpc": "2.0", "id": 1, "method": name}).encode()))
        assert answer["error"] == {"code": -32601, "message": f"the method {name} does not exist/is not available"}
