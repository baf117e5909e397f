"""The output of `openrollup explain`: rows of openrollup_getBatch and openrollup_blockOrigin as text with colours."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.markup import escape

from rollup.cli.counted import counted

Row = dict[str, Any]
_MAX_LISTED = 20
_COLOURS = {
    "complete": "green",
    "derived": "green",
    "decoded": "cyan",
    "dropped": "red",
    "open": "yellow",
    "waiting": "yellow",
}


def row_text(row: Row) -> str:
    """An L1 transaction, or a channel with its transactions."""
    row = _escaped(row)
    return "\n".join(_channel_lines(row) if "transactions" in row else _transaction_lines(row))


def origin_text(origin: Row) -> str:
    """The way from an L2 block back to L1."""
    origin = _escaped(origin)
    block, batch = origin["block"], origin["batch"]
    lines = [
        f"[bold]L2 block {block['number']}[/]  {block['hash']}",
        f"  {origin['safety']}, L1 origin {_block(origin['l1Origin'])}",
    ]
    if origin["derivedFrom"] is None:
        lines.append("  not derived from L1 yet, or derived before this node recorded it")
    elif origin["isWithoutBatch"]:
        lines.append(
            f"  derived from L1 block {_block(origin['derivedFrom'])} without a batch: its sequencing window passed"
        )
    else:
        lines.append(f"  derived from L1 block {_block(origin['derivedFrom'])}")
        lines.append(f"  channel {origin['channelId']}")
        if batch is not None:
            lines += [f"  {line}" for line in _batch_lines(batch)]
        for carrier in origin["transactions"]:
            lines.append(f"  carried by [bold]{carrier['hash']}[/] in L1 block {_block(carrier['l1Block'])}")
    return "\n".join(lines)


def _escaped(value: Any) -> Any:
    """A node's answer, its texts without markup of their own."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return {name: _escaped(item) for name, item in value.items()} if isinstance(value, dict) else value


def _transaction_lines(row: Row) -> Iterator[str]:
    name = row.get("file") or row["transactionHash"]
    yield f"[bold]L1 transaction {name}[/]"
    if "file" in row:
        yield f"  sender {row['sender']}" if int(row["sender"], 16) else "  saved data without its transaction"
    else:
        yield f"  L1 block {_block(row['l1Block'])}, index {row['transactionIndex']}, sender {row['sender']}"
    blobs = f" in {len(row['blobs'])} blobs" if row["blobs"] else ""
    yield f"  {row['container']}, {row['size']:,} bytes{blobs}"
    if row["l1Cost"] is not None:
        parts = [int(row[key], 16) for key in ("l1Cost", "l1ExecutionCost", "l1BlobCost")]
        yield f"  cost {parts[0]:,} wei: execution {parts[1]:,}, blobs {parts[2]:,}"
    for frame in row["frames"][:_MAX_LISTED]:
        last = ", the last" if frame["isLast"] else ""
        yield f"  frame {frame['number']} of channel {frame['channelId']}, {frame['size']:,} bytes{last}"
    yield from _more(row["frameCount"], "frames")
    for channel in row["channels"]:
        yield from (f"  {line}" for line in _channel_lines(channel))
    yield from (f"  {line}" for line in _drop_lines(row["dropped"]))


def _channel_lines(channel: Row) -> Iterator[str]:
    yield f"[bold]channel {channel['channelId']}[/] {_status(channel['status'])}"
    if channel["completedIn"] is not None:
        count, transactions = channel["frameCount"], len(channel["carriers"])
        where = f", complete in L1 block {_block(channel['completedIn'])}" if _is_known(channel["completedIn"]) else ""
        yield f"  {counted(count, 'frame')} in {counted(transactions, 'transaction')}{where}"
        ratio = f", {channel['size'] / channel['compressedSize']:.1f} times" if channel["compressedSize"] else ""
        yield (
            f"  {channel['compression'] or 'unknown compression'}, {channel['compressedSize']:,} bytes, "
            f"{channel['size']:,} decompressed{ratio}"
        )
        blocks = sum(batch["blockCount"] for batch in channel["batches"])
        yield (
            f"  {counted(channel['batchCount'], 'batch', 'batches')}, {counted(blocks, 'block')}{_range(channel)}, "
            f"{counted(channel['transactionCount'], 'transaction')}"
        )
    for batch in channel["batches"][:_MAX_LISTED]:
        yield from (f"  {line}" for line in _batch_lines(batch))
    yield from (f"  {line}" for line in _more(channel["batchCount"], "batches"))
    # The drops of a listed batch stand with it; one that could not be decoded is not listed.
    listed = {batch["index"] for batch in channel["batches"][:_MAX_LISTED]}
    yield from (f"  {line}" for line in _drop_lines(drop for drop in channel["dropped"] if drop["batch"] not in listed))
    for carrier in channel.get("transactions", ()):
        yield f"  carried by {carrier['transactionHash']} in L1 block {_block(carrier['l1Block'])}"


def _batch_lines(batch: Row) -> Iterator[str]:
    yield (
        f"batch {batch['index']}: {batch['type']}, {counted(batch['blockCount'], 'block')}{_range(batch)}, "
        f"{counted(batch['transactionCount'], 'transaction')}, {batch['size']:,} bytes, {_status(batch['status'])}"
    )
    yield from (f"  {line}" for line in _drop_lines(batch["dropped"]))


def _drop_lines(drops: Iterable[Row]) -> Iterator[str]:
    for drop in drops:
        where = f" frame {drop['frame']}" if drop["frame"] is not None else ""
        times = f", {drop['count']} times" if drop["count"] > 1 else ""
        yield f"[red]dropped{where}[/], {drop['size']:,} bytes{times}: {drop['text']} ([bold]{drop['rule']}[/])"
        if drop["detail"]:
            yield f"  {drop['detail']}"
        yield f"  {drop['section']}: {drop['url']}"


def _status(status: str) -> str:
    return f"[{_COLOURS.get(status, 'yellow')}]{status}[/]"


def _range(row: Row) -> str:
    first, last = row["firstBlock"], row["lastBlock"]
    return "" if first is None or last is None else f" {first} to {last}"


def _more(count: int | None, what: str) -> Iterator[str]:
    if count is not None and count > _MAX_LISTED:
        yield f"… {count:,} {what} in all"


def _is_known(block: Row) -> bool:
    """Saved data has no L1 block."""
    return bool(int(block["hash"], 16))


def _block(block: Row) -> str:
    return f"{block['number']} {block['hash']}"
