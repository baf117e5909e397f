"""Amounts, the first screen and the lines of a run."""

import dataclasses
import io
import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rollup.cli import main, run
from rollup.cli.safe_text import safe_console
from rollup.cli.screen import EventLines, FirstScreen, about, amount, show_first_screen
from rollup.events import BatchPosted, Event, Waiting, event_json
from rollup.l1.json_rpc import HttpEndpoint
from rollup.protocol.accounts import MNEMONIC, USERS
from rollup.serve import NodeServers, contract_addresses, url_of


@given(st.integers(-(10**30), 10**30))
def test_an_amount_reads_back_as_the_same_wei(wei: int) -> None:
    sign, whole, part = re.fullmatch(r"(-?)([\d,]+)\.?(\d*)", amount(wei)).groups()
    assert (-1 if sign else 1) * (int(whole.replace(",", "")) * 10**18 + int(part.ljust(18, "0"))) == wei
    assert amount(-wei).lstrip("-") == amount(wei).lstrip("-")


def test_a_short_amount_is_rounded_to_nine_digits() -> None:
    assert about(26_531_850_539_072) == "0.000026532"
    assert about(-1) == "0"


def screen(is_kept: bool, url: str = "http://127.0.0.1:9545", file_path: str = "/tmp/rollup.json") -> str:
    file = io.StringIO()
    names = ("L1 JSON-RPC", "L2 JSON-RPC")
    show_first_screen(
        safe_console(file=file, width=100),
        FirstScreen(
            urls=[(name, url) for name in names],
            chains=[("L1", 900, 12), ("L2", 901, 2)],
            accounts=[(account.address, account.private_key, 10**22) for account in USERS],
            contracts=contract_addresses(),
            files=[("rollup.json", file_path)],
            gas_limits=[("L1", 36_000_000), ("L2", 60_000_000)],
            is_kept=is_kept,
        ),
    )
    return file.getvalue()


def test_the_first_screen_fits_and_ends_with_what_to_do_next() -> None:
    shown = screen(is_kept=False)
    assert max(map(len, shown.splitlines())) <= 100
    assert MNEMONIC in shown
    assert "60,000,000 gas" in shown
    assert all(account.private_key.hex() in shown for account in USERS)
    end = shown[shown.index("What next") :]
    assert "openrollup demo --l2 http://127.0.0.1:9545" in end
    assert shown.rstrip().endswith("Running; Ctrl-C stops. Nothing is kept without --data-dir.")
    assert "Everything is kept" in screen(is_kept=True)


def test_a_batch_line_names_its_blocks_and_how_far_it_is_compressed() -> None:
    line = EventLines(0).line(BatchPosted(2, bytes(32), "blobs", 76, 1, 10**12, 4, 9, 300, 75))
    assert line is not None
    assert "of L2 blocks 4 to 9 in L1 block 2: 1 blob, 76 bytes, compressed to 25%" in line


def test_quiet_shows_trouble_only() -> None:
    lines = EventLines(-1)
    assert lines.line(BatchPosted(2, bytes(32), "blobs", 76, 1, 10**12, 4, 9, 300, 75)) is None
    assert lines.line(Waiting("batcher", "L1")) is not None


def test_events_in_json_have_one_convention() -> None:
    values = {"int": 2**60, "str": "x", "bool": True, "float": 0.5, "Hash": bytes(32), "Address": bytes(20)}
    for kind in Event.__args__:
        fields = dataclasses.fields(kind)
        event = kind(*(values.get(getattr(field.type, "__name__", str(field.type)), 1) for field in fields))
        found = event_json(event)
        assert found.pop("event") == kind.__name__
        assert all(re.fullmatch(r"[a-z][a-zA-Z0-9]*", name) for name in found)
    posted = event_json(BatchPosted(2, bytes(32), "blobs", 76, 1, 2**60, 4, 9, 300, 75))
    assert posted["cost"] == str(2**60)
    assert posted["l1Block"] == 2


@pytest.mark.parametrize(("arguments", "status"), [(["run"], 0), (["trace", "a", "--texts", "b"], 130)])
def test_an_interrupt_before_the_command_is_ready_ends_it_quietly(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "configure_logs", interrupted)
    monkeypatch.setattr("rollup.cli.trace.read_text_file", interrupted)
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.output) == (status, "")


@pytest.mark.parametrize(("host", "shown"), [("::1", "[::1]"), ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost")])
def test_a_url_has_brackets_around_an_ipv6_address(host: str, shown: str) -> None:
    servers = NodeServers.__new__(NodeServers)
    servers.host, servers.bound = host, {"l2": 9545}
    assert servers.url("l2") == f"http://{shown}:9545"
    assert url_of(host, 9545) == servers.url("l2")
    assert HttpEndpoint(url_of(host, 9545)).url == servers.url("l2")


def test_brackets_in_urls_and_paths_are_shown_as_they_are() -> None:
    shown = screen(True, "http://[fd00::1]:9545", "/tmp/[red]x")
    assert "/tmp/[red]x" in shown
    assert shown.count("http://[fd00::1]:9545") == 5
