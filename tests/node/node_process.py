"""`openrollup run` as another process, on free ports, spoken to as a user would: JSON lines, JSON-RPC, signals."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.request import Request, urlopen

from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

ROOT = Path(__file__).parents[2]
GENESIS_TIME = 1_700_000_000
PORTS = ("l1", "l2", "verifier", "rollup", "beacon", "engine")
GWEI = 10**9
SILENT_SECONDS = 240  # that a node may say nothing; the slowest start of a test takes some 60 on a busy machine
L1, L2 = "L1 JSON-RPC", "L2 JSON-RPC"


class RpcFailure(Exception):
    """The node answered with an error."""


def call(url, method, *params):
    """One JSON-RPC call; raises RpcFailure, and OSError when nobody answers."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=20) as response:
        answer = json.load(response)
    if "error" in answer:
        raise RpcFailure(answer["error"])
    return answer["result"]


def transfer(chain_id, user, nonce, value=1):
    """A signed transfer to the next of the funded accounts."""
    return Transaction(
        DYNAMIC_FEE,
        nonce=nonce,
        gas_limit=21_000,
        to=USERS[(user + 1) % len(USERS)].address,
        value=value,
        chain_id=chain_id,
        max_fee_per_gas=100 * GWEI,
        max_priority_fee_per_gas=GWEI,
    ).signed(USERS[user].private_key)


class NodeProcess:
    """A node that was started, from its first screen on; kills what is left of it in the end.

    Its output is read all the time: a full pipe would stop the node.
    """

    def __init__(self, *options, ports=None, environment=None):
        chosen = dict.fromkeys(PORTS, 0) | (ports or {})
        # A pipe that nobody reads would stop the node when it is full.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "rollup.cli", "run", "--json", "--processes=1"),
                *(f"--{name}-port={port}" for name, port in chosen.items()),
                *map(str, options),
            ],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
        self.events = []
        self._lines = SimpleQueue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.started = self.next_event()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        self._errors.close()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def url(self, name):
        return self.started["urls"][name]

    def errors(self):
        """The text that the node has written to standard error so far."""
        return os.pread(self._errors.fileno(), os.fstat(self._errors.fileno()).st_size, 0).decode()

    def next_event(self):
        """The next line; None when the node has ended. Fails when the node says nothing for SILENT_SECONDS."""
        try:
            line = self._lines.get(timeout=SILENT_SECONDS)
        except Empty:
            raise AssertionError(f"nothing said for {SILENT_SECONDS} s, last: {self.events[-1:]}") from None
        if not line.endswith("\n"):
            self._lines.put("")
            return None
        self.events.append(json.loads(line))
        return self.events[-1]

    def wait_for(self, kind, when=lambda event: True):
        """The next event of a kind for which a condition holds; fails when the node ends before."""
        while (event := self.next_event()) is not None:
            if event["event"] == kind and when(event):
                return event
        raise AssertionError(f"no {kind}: {self.errors()}")

    def kill(self):
        """SIGKILL, and what the node had said by then."""
        self.process.kill()
        return self.rest()

    def read_all(self):
        """Reads events until the end."""
        while self.next_event() is not None:
            pass

    def rest(self):
        """Waits for the end; every event there was."""
        self.read_all()
        self.process.wait(SILENT_SECONDS)
        return self.events

    def end(self, number):
        """Sends a signal and waits for the end. Returns the seconds that the node took for it.

        That is the time by the clock, less the time in which the node's main thread could have run and the machine ran
        others instead (/proc/PID/schedstat, second field). So it is true whatever else runs, and waiting for
        something, be it a timer, counts. A process is in /proc until its parent has waited for it.
        """
        before, began = self._seconds_kept_waiting(), time.monotonic()
        self.process.send_signal(number)
        end = os.pidfd_open(self.process.pid)
        try:
            is_over = bool(select.select([end], [], [], SILENT_SECONDS)[0])
        finally:
            os.close(end)
        assert is_over, f"still there {SILENT_SECONDS} s after the signal"
        took = time.monotonic() - began - (self._seconds_kept_waiting() - before)
        self.rest()
        return took

    def _seconds_kept_waiting(self):
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[1]) / 1e9

    def of(self, kind):
        """The events of a kind so far."""
        return [event for event in self.events if event["event"] == kind]
