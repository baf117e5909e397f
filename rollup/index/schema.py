"""The tables of the index. Numbers that may not fit into SQLite's 64 bits are big-endian blobs.

Append-only rows are keyed by `position`: block << 30 | place in the block, so that a removed block's rows are one
range. Rows that change (rollup/index/rows.py) have a twin table with their values before each block.
"""

from dataclasses import dataclass
from typing import Any

from rollup.index import rows

VERSION = 1
POSITION_BITS = 30


@dataclass(slots=True, frozen=True)
class RowTable:
    """A table of rows that change: its key columns, the class of its rows, each column's SQL type."""

    name: str
    keys: tuple[str, ...]
    row: type[Any]
    columns: dict[str, str]

    @property
    def blobs(self) -> tuple[bool, ...]:
        """The columns whose numbers are stored as blobs."""
        return tuple(kind == "WIDE" for kind in self.columns.values())


PLATFORM = RowTable("platform", ("id",), rows.PlatformRow, {"admin": "BLOB", "treasury": "BLOB", "bps": "INTEGER"})
DATANETS = RowTable(
    "datanet",
    ("id",),
    rows.DatanetRow,
    {
        "curator": "BLOB",
        "metadata": "BLOB",
        "units": "WIDE",
        "members": "INTEGER",
        "contributions": "INTEGER",
        "acc": "WIDE",
        "remainder": "WIDE",
        "paid": "WIDE",
        "settled": "WIDE",
    },
)
MEMBERS = RowTable(
    "member",
    ("datanet", "account"),
    rows.MemberRow,
    {"units": "WIDE", "paid_acc": "WIDE", "settled": "WIDE", "direct": "WIDE", "contributions": "INTEGER"},
)
MODELS = RowTable(
    "model",
    ("id",),
    rows.ModelRow,
    {
        "owner": "BLOB",
        "base": "INTEGER",
        "metadata": "BLOB",
        "owner_bps": "INTEGER",
        "lineage_bps": "INTEGER",
        "data_bps": "INTEGER",
        "weights": "BLOB",
        "inferences": "INTEGER",
        "revenue": "WIDE",
        "last_time": "INTEGER",
    },
)
ACCOUNTS = RowTable(
    "account",
    ("address",),
    rows.AccountRow,
    {"credit": "WIDE", "claimed": "WIDE", "direct": "WIDE", "settled": "WIDE", "refunded": "WIDE"},
)
EARNINGS = RowTable("earning", ("account", "model", "role"), rows.EarningRow, {"amount": "WIDE", "credits": "INTEGER"})
FLOWS = RowTable(
    "flow",
    ("datanet", "model"),
    rows.FlowRow,
    {"acc": "WIDE", "remainder": "WIDE", "amount": "WIDE", "payments": "INTEGER"},
)
JOBS = RowTable(
    "job",
    ("id",),
    rows.JobRow,
    {
        "model": "INTEGER",
        "payer": "BLOB",
        "escrow": "WIDE",
        "deadline": "INTEGER",
        "request": "BLOB",
        "state": "INTEGER",
        "inference": "INTEGER",
        "fee": "WIDE",
        "refund": "WIDE",
    },
)
ROW_TABLES = (PLATFORM, DATANETS, MEMBERS, MODELS, ACCOUNTS, EARNINGS, FLOWS, JOBS)

# Append-only rows, keyed by position.
LOG_TABLES = ("tx", "inference", "credit", "membership", "claim", "training")
_LOGS = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE block (number INTEGER PRIMARY KEY, hash BLOB NOT NULL);
CREATE TABLE tx (
    position INTEGER PRIMARY KEY, hash BLOB NOT NULL, place INTEGER NOT NULL, sender BLOB NOT NULL,
    gas_used INTEGER NOT NULL, execution BLOB NOT NULL, l1 BLOB NOT NULL, operator BLOB NOT NULL
);
CREATE TABLE inference (
    position INTEGER PRIMARY KEY, tx INTEGER NOT NULL, model INTEGER NOT NULL, inference INTEGER NOT NULL,
    payer BLOB NOT NULL, fee BLOB NOT NULL, time INTEGER NOT NULL, credits INTEGER NOT NULL,
    is_self_paid INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX inference_of_model ON inference (model, inference);
CREATE INDEX inference_of_payer ON inference (payer, position);
CREATE TABLE credit (
    position INTEGER PRIMARY KEY, inference INTEGER NOT NULL, model INTEGER NOT NULL, source INTEGER NOT NULL,
    role TEXT NOT NULL, account BLOB, datanet INTEGER, amount BLOB NOT NULL, acc BLOB
);
CREATE INDEX credit_of_pool ON credit (datanet, source, position) WHERE role = 'pool';
CREATE INDEX credit_of_member ON credit (account, position) WHERE role = 'member';
CREATE TABLE membership (
    position INTEGER PRIMARY KEY, datanet INTEGER NOT NULL, account BLOB NOT NULL, before BLOB NOT NULL,
    units BLOB NOT NULL, content BLOB, time INTEGER NOT NULL
);
CREATE INDEX membership_of_account ON membership (account, datanet, position);
CREATE INDEX membership_of_datanet ON membership (datanet, account, position);
CREATE TABLE claim (
    position INTEGER PRIMARY KEY, tx INTEGER NOT NULL, account BLOB NOT NULL, recipient BLOB NOT NULL,
    amount BLOB NOT NULL
);
CREATE INDEX claim_of_account ON claim (account, position);
CREATE TABLE training (
    position INTEGER PRIMARY KEY, model INTEGER NOT NULL, step BLOB NOT NULL, checkpoint BLOB NOT NULL,
    data_root BLOB NOT NULL, time INTEGER NOT NULL
);
CREATE INDEX training_of_model ON training (model, position);
"""


def statements() -> str:
    """The SQL statements that create all tables."""
    return _LOGS + "".join(_create(table) for table in ROW_TABLES) + _MORE


_MORE = """
CREATE INDEX member_of_account ON member (account, datanet);
CREATE INDEX flow_of_model ON flow (model, datanet);
"""


def _create(table: RowTable) -> str:
    keys = ", ".join(f"{key} NOT NULL" for key in table.keys)
    values = ", ".join(f"{name} {'BLOB' if kind == 'WIDE' else kind}" for name, kind in table.columns.items())
    key = ", ".join(table.keys)
    return (
        f"CREATE TABLE {table.name} ({keys}, {values}, PRIMARY KEY ({key})) WITHOUT ROWID;\n"
        f"CREATE TABLE undo_{table.name} (block INTEGER NOT NULL, {keys}, existed INTEGER NOT NULL, {values}, "
        f"PRIMARY KEY (block, {key})) WITHOUT ROWID;\n"
    )
