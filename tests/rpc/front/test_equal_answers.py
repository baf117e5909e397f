"""Whatever comes: a port with front processes answers with the bytes of a port without."""

import asyncio
import gzip
import json

from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, SECP256K1_N, SET_CODE, Transaction
from rollup.protocol.transaction import deposit_transaction as deposit
from rollup.rpc.limits import LARGE_BODY, MAX_BATCH, MAX_BODY
from tests.rpc.front.conftest import Served
from tests.rpc.front.raw_http import call, exchange, post

GWEI = 10**9
CHAIN_ID = call("eth_chainId")


def signed(user=0, nonce=0, tx_type=DYNAMIC_FEE, **fields):
    chosen = {"gas_limit": 30_000, "to": bytes(20), "chain_id": 901, "max_fee_per_gas": 100 * GWEI}
    tip = 100 * GWEI if tx_type in (LEGACY, ACCESS_LIST) else GWEI
    made = Transaction(tx_type, nonce=nonce, **{**chosen, "max_priority_fee_per_gas": tip, **fields})
    return made.signed(USERS[user].private_key)


def in_the_upper_half():
    transaction = signed(1)
    transaction.s, transaction.v = SECP256K1_N - transaction.s, 1 - transaction.v
    transaction._raw = None
    return transaction.encode()


def send(raw, **fields):
    return call("eth_sendRawTransaction", raw if isinstance(raw, str) else f"0x{raw.hex()}", **fields)


def transactions():
    """Transactions of every kind, good and bad; the order counts."""
    good = signed().encode()
    yield from (good, good, signed(nonce=2).encode(), signed(nonce=1).encode(), signed(nonce=0, value=5).encode())
    yield signed(nonce=0, max_priority_fee_per_gas=9 * GWEI, max_fee_per_gas=200 * GWEI).encode()
    yield from (signed(1, tx_type=LEGACY).encode(), signed(1, 1, tx_type=ACCESS_LIST).encode())
    yield from (signed(2, tx_type=LEGACY, chain_id=None).encode(), signed(2, chain_id=1).encode())
    yield from (signed(2, gas_limit=20_000).encode(), signed(2, gas_limit=10**9).encode())
    yield from (signed(2, max_priority_fee_per_gas=200 * GWEI).encode(), signed(2, nonce=2**64 - 1).encode())
    yield from (signed(2, value=10**30).encode(), signed(2, data=bytes(140_000), gas_limit=10**7).encode())
    yield from (signed(2, to=None, data=bytes(50_000), gas_limit=10**7).encode(), signed(2, to=None).encode())
    yield from (signed(2, tx_type=SET_CODE).encode(), signed(2, max_fee_per_gas=10**16).encode())
    yield from (signed(3, tx_type=BLOB, max_fee_per_blob_gas=1).encode(), b"\x03", b"\x03\xc0", in_the_upper_half())
    yield from (b"", b"\x00", b"\x05\xc0", b"\xc0", b"\x02", b"\x02\xc0", good[:-1], good + b"\0", b"\x7f" + good)
    yield deposit(
        source_hash=bytes(32), sender=bytes(20), to=None, mint=1, value=0, gas_limit=21_000, is_system=False, data=b""
    ).encode()


def json_bodies():
    """Bodies of which some are sends alone, and some nearly."""
    raw = f"0x{signed(5).encode().hex()}"
    yield from ("", " ", "{", "null", "1", "[]", "{}", "[1]", '"x"', "[[]]", "\ufeff{}", "{" * 2_000)
    yield from (b"\xff", b"\0", b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["\xff"]}')
    for hexes in ("0x", "", "0", "0x0", "0xzz", "zz", "0x 1", "0x1 2 ", "0x12 ", f"{raw} ", f" {raw}", "0X00", "0x０1"):
        yield send(hexes)
    for ident in (None, 0, -1, 2**63, 2**64, "", "é", "\ud800", True, 1.5, 1e400, [], {}):
        yield json.dumps(send(raw, ident=ident))
    written = json.dumps(send(raw, ident="ID"))
    yield written.replace('"ID"', "123456789012345678901234")
    yield written.replace('"ID"', '1, "id": 2')
    for params in ([], [raw, raw], [None], [1], [[raw]], {}, {"0": raw}, None, raw, 0):
        yield send(raw, params=params)
    yield from (send(raw, jsonrpc="1.0"), send(raw) | {"method": "eth_sendrawtransaction"}, send(raw, more=[1]))
    yield {"jsonrpc": "2.0", "method": "eth_sendRawTransaction", "params": [raw]}
    yield [send(raw, ident=1), send(raw, ident=1), CHAIN_ID]
    yield [send(raw, ident=1), {"jsonrpc": "2.0", "method": "eth_sendRawTransaction", "params": [raw]}]
    yield [send(raw), 1]
    yield [send(raw, ident="a"), send("0x", ident="b"), send(signed(5, 1).encode(), ident=None)]
    yield [send("0x00", ident=ident) for ident in range(MAX_BATCH)]
    yield [send("0x00", ident=ident) for ident in range(MAX_BATCH + 1)]
    yield from (CHAIN_ID, [CHAIN_ID] * 3, call("eth_nothing"), call("eth_subscribe", "newHeads"))
    yield from (call("eth_getBalance", 1), call("rpc_modules"), call("evm_snapshot"))


def http_requests():
    """Requests in every form, as (parts, number of answers, whether answers have bodies)."""
    body = json.dumps(CHAIN_ID).encode()
    plain = post(body)
    yield (plain,), 1, True
    yield (plain * 3,), 3, True
    yield (plain[:10], plain[10:40], plain[40:]), 1, True
    yield (plain[:-5], plain[-5:] + plain), 2, True
    yield (plain + post(send(b""))[:-7], b'0x"]}  ' + plain), 1, True
    for headers in (
        ["Connection: close"],
        ["Connection: keep-alive"],
        ["Connection: Close"],
        ["Connection: upgrade", "Upgrade: websocket"],
        ["Connection: keep-alive, close"],
        ["Origin: http://localhost:3000"],
        ["Origin: http://localhost:3000", "Content-Type: application/json"],
        ["Origin: https://evil.example", "Content-Type: application/json"],
        ["Content-Type: text/plain", "X-Anything: é"],
        ["Accept-Encoding: gzip", "User-Agent: a b c", "Authorization: Bearer x"],
        ["Transfer-Encoding: identity"],
        ["Expect: 100-continue"],
        ["Host: evil.example"],
        ["Content-Length: 7"],
        ["Bad Header: 1"],
        [" folded: 1"],
        ["Empty:"],
        ["X-Long: " + "a" * 9_000],
    ):
        yield (post(body, *headers),), 1, True
    yield (post(gzip.compress(body, mtime=0), "Content-Encoding: gzip"),), 1, True
    yield (post(b"no gzip", "Content-Encoding: gzip"),), 1, True
    for host in ("127.0.0.1", "127.0.0.1:1", "[::1]:1", "LOCALHOST", "a.localhost", "evil.example", "", "a b"):
        yield (post(body, host=host),), 1, True
    for path in ("/a", "/?x=1", "//", "/rpc/l1", "/health", "*", "http://localhost/", ""):
        yield (post(body, path=path),), 1, True
    for method in (b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"post", b"POST\t", b"NONSENSE"):
        yield (plain.replace(b"POST", method, 1),), 1, method != b"HEAD"
    for version in (b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 ", b"http/1.1"):
        yield (plain.replace(b"HTTP/1.1", version, 1),), 1, True
    chunked = post(b"", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    yield (chunked + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),), 1, True
    yield (chunked + b"zz\r\n",), 1, True
    for length in (b"-1", b"+7", b"0x10", b"", b"1 1", b"%d" % (MAX_BODY + 1), b"99999999999999999999"):
        yield (plain.replace(b"Content-Length: %d" % len(body), b"Content-Length: " + length),), 1, True
    for size in (LARGE_BODY - len(body), LARGE_BODY, LARGE_BODY + 1):
        yield (post(body + b" " * size) + plain,), 2, True
    yield (b"\r\n\r\n" + plain,), 1, True
    yield (b"nonsense\r\n\r\n",), 1, True
    yield (plain.replace(b"\r\n", b"\n"),), 1, True


async def test_every_transaction_has_the_same_answer(pair):
    ports = [served.port for served in pair]
    for raw in transactions():
        alone, fronted = [await exchange(port, post(send(raw))) for port in ports]
        assert alone == fronted, raw.hex()
    assert [served.node.l2.pool.counts() for served in pair] == [pair[0].node.l2.pool.counts()] * 2
    assert pair[0].answered == pair[1].answered
    assert pair[0].answered["eth_sendRawTransaction", 0] > 5
    assert len(pair[1].taken) >= sum(len(raw) < LARGE_BODY // 2 - 100 for raw in transactions())


async def test_a_batch_of_transactions_has_the_answers_of_its_requests_alone(pair):
    """Without front processes a batch is taken together. The other node gets each request by itself."""
    alone, _ = pair
    raws = [raw for raw in transactions() if len(raw) < LARGE_BODY // 4]
    requests = [send(raw, ident=ident) for ident, raw in enumerate(raws)]
    server = alone.servers.rpc_servers["l2"]
    [(_, together)] = await exchange(alone.port, post(requests))
    assert sum(map(len, alone.taken)) == len(raws)
    async with Served(1) as other:
        dispatcher = other.servers.rpc_servers["l2"]._dispatcher
        singly = [json.loads(await dispatcher.handle(json.dumps(request).encode())) for request in requests]
        assert json.loads(together) == singly
        assert server.answered == other.answered
        assert alone.node.l2.pool.counts() == other.node.l2.pool.counts()


async def test_a_condition_holds_whichever_process_reads_the_request(pair):
    method = "eth_sendRawTransactionConditional"
    for served in pair:
        served.node.run_until_safe(2)
        head = served.node.l2.chain.head
        guarded, free = signed(0), signed(1)
        texts = ["0x" + transaction.encode().hex() for transaction in (guarded, free)]
        served.answers = [
            await exchange(served.port, post(body))
            for body in (
                call(method, texts[0], {"blockNumberMin": hex(head.number + 1)}),
                call(method, texts[0], {"blockNumberMax": hex(head.number)}),
                call("eth_sendRawTransaction", texts[0]),
                [call("eth_sendRawTransaction", texts[1]), call(method, texts[1], {"timestampMax": "0x0"}, ident=2)],
            )
        ]
        while served.node.build_l2() is None:
            pass
        block = served.node.l2.chain.head
        assert [item.hash for item in block.transactions if not item.is_deposit] == [free.hash]
        assert served.node.l2.pool.get(guarded.hash) is None
    assert pair[0].answers == pair[1].answers
    rejected, taken, known, batch = (answers[0][1] for answers in pair[0].answers)
    assert b"-32003" in rejected
    assert guarded.hash.hex().encode() in taken
    assert b"already known" in known
    assert b"-32003" in batch


async def test_a_batch_of_every_transaction_has_the_same_answer(pair):
    bodies = [send(raw, ident=index) for index, raw in enumerate(transactions())]
    small = [body for body in bodies if len(body["params"][0]) < 1_000]
    for batch in (bodies, small, small * 9):
        alone, fronted = [await exchange(served.port, post(batch)) for served in pair]
        assert alone == fronted
    assert pair[0].node.l2.pool.content() == pair[1].node.l2.pool.content()


async def test_every_body_has_the_same_answer(pair):
    for body in json_bodies():
        alone, fronted = [await exchange(served.port, post(body)) for served in pair]
        assert alone == fronted, body
    assert pair[0].answered == pair[1].answered
    assert pair[1].taken
    assert len(pair[1].asked) > 40


async def test_every_form_of_request_has_the_same_answer(pair):
    cases = list(http_requests())
    for served in pair:
        served.answers = await asyncio.gather(
            *(
                exchange(served.port, *parts, count=count, pause=0.05, has_bodies=has_bodies)
                for parts, count, has_bodies in cases
            )
        )
    for case, alone, fronted in zip(cases, *(served.answers for served in pair), strict=True):
        assert alone == fronted, case
