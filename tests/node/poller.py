"""Asks a node for the block number without pause, in a process of its own: `python poller.py URL PID...`.

It ends when its input ends. Then it writes the longest wait for an answer as JSON: by the clock, and as the processor
time that the event loops of these processes used between the question and the answer. The second does not depend on
what else the machine does.
"""

import http.client
import json
import select
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

BODY = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
HEADERS = {"Content-Type": "application/json"}
PAUSE = 0.002


def processor_seconds(pids):
    """Seconds that the main threads of these processes have run; Linux counts them in nanoseconds."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def main(url, *pids):
    host = urlsplit(url)
    connection = http.client.HTTPConnection(host.hostname, host.port, timeout=60)
    longest, answers = {"clock": 0.0, "processor": 0.0}, 0
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        begun, worked = time.monotonic(), processor_seconds(pids)
        connection.request("POST", "/", BODY, HEADERS)
        response = connection.getresponse()
        text = response.read()
        assert json.loads(text)["result"].startswith("0x"), text
        longest["clock"] = max(longest["clock"], time.monotonic() - begun)
        longest["processor"] = max(longest["processor"], processor_seconds(pids) - worked)
        answers += 1
    print(json.dumps({**longest, "answers": answers}))


if __name__ == "__main__":
    main(*sys.argv[1:])
