"""The calls of a batch stay text until their turn comes, and are answered as if each had come alone."""

import asyncio
import gc
import json
import tracemalloc

import pytest

from rollup.rpc.dispatch import Dispatcher

# As written: values whose reading could lose something, requests of every wrong form, and one nested deeper than orjson
# writes.
CALLS = [
    b'{"jsonrpc":"2.0","id":%d,"method":"eth_echo","params":[%b]}' % (number, param)
    for number, param in enumerate(
        (b"1", b"-0.0", b"1.5e300", b"18446744073709551616", b'"\\u0000\\u20ac"', b'{"a":{"b":[]}}', b"null", b"true")
    )
] + [
    b'{"jsonrpc":"2.0","id":123456789012345678901,"method":"eth_echo","params":[123456789012345678901]}',
    b'{"jsonrpc":"2.0","id":1.50,"method":"eth_echo"}',
    b'{"jsonrpc":"2.0","id":null,"method":"eth_nothing"}',
    b'{"jsonrpc":"2.0","id":{"a":1},"method":"eth_echo"}',
    b'{"jsonrpc":"2.0","method":"eth_echo"}',
    b'{"jsonrpc":"1.0","id":"x","method":"eth_echo"}',
    b"[]",
    b"1",
]
DEEP = b'{"jsonrpc":"2.0","id":7,"method":"eth_size","params":[%b]}' % (b"[" * 500 + b"]" * 500)


@pytest.mark.parametrize("count", [1, 20, 21, 100])
@pytest.mark.parametrize("extra", [[], [DEEP]], ids=["flat", "deep"])
async def test_a_call_of_a_batch_has_the_answer_that_it_has_alone(count, extra):
    dispatcher = Dispatcher({"eth_echo": lambda params: params, "eth_size": len})
    calls = [CALLS[index % len(CALLS)] for index in range(count)] + extra
    alone = [await dispatcher.handle(b"[%b]" % call if call == b"[]" else call) for call in calls]
    # An empty list alone is a batch without calls; in a batch it is a call of a wrong form.
    wrong = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request"}}'
    expected = [wrong if call == b"[]" else answer for call, answer in zip(calls, alone, strict=True)]
    answer = await dispatcher.handle(b"[%b]" % b",".join(calls))
    assert answer == b"[%b]" % b",".join(item for item in expected if item is not None)


async def test_many_batches_in_work_hold_a_few_times_their_text():
    """Read, a request of the smallest values takes ten times the room of its text."""
    go_on = asyncio.Event()

    async def wait(params):
        await go_on.wait()

    dispatcher = Dispatcher({"eth_wait": wait})
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_wait", "params": [{"a": {"b": [1, 2, {}, [], ""]}}]}
    text = json.dumps([call] * 200).encode()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tasks = [asyncio.create_task(dispatcher.handle(text)) for _ in range(10)]
        for _ in range(40):
            await asyncio.sleep(0)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        go_on.set()
    assert all(not task.done() for task in tasks)
    assert held < 4 * len(tasks) * len(text)
    assert len(json.loads((await asyncio.gather(*tasks))[0])) == 200
