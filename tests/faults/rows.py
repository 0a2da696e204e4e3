"""The table of faults: what each row is, how it is brought about, and where its tests are.

Rows of a drill describe themselves (`navoracle.drill.catalogue`); the others need processes, other servers or other
surroundings than a drill has, and stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from navoracle.drill.rows import catalogue

COUNT: Final = 64


@dataclass(frozen=True)
class TableRow:
    """One row. `note` says what stands in for what a single machine does not have."""

    number: int
    fault: str
    injection: str
    note: str = ""


_OTHERS: Final = (
    TableRow(42, "killed after signing, before saving", "kill -9 at the fail point after_sign"),
    TableRow(43, "killed after saving, before sending", "kill -9 at the fail point after_save"),
    TableRow(44, "killed after sending, before marking", "kill -9 at the fail point after_send"),
    TableRow(45, "killed while bumping", "kill -9 at the three fail points of a replacement"),
    TableRow(46, "killed between mined and the event log", "kill -9 at the five fail points after a post is mined"),
    TableRow(47, "asked to stop in mid-cycle", "SIGTERM while a post waits, and while nothing does"),
    TableRow(
        48,
        "keepers race for a slot",
        "four processes, one PostgreSQL server, one slot",
        "all four run on one machine; their database's clock and locks are what they would share over several",
    ),
    TableRow(
        49,
        "a keeper that was frozen beyond its lease",
        "SIGSTOP at five fail points, another process takes over, SIGCONT",
        "both run on one machine, on one database",
    ),
    TableRow(
        50,
        "two keepers with keys of their own",
        "two processes, two keys, two databases, one registry",
        "both run on one machine",
    ),
    TableRow(52, "the scheduler misfires", "SIGSTOP over the full hour, SIGCONT five seconds after it"),
    TableRow(54, "the disk of the database is full", "RLIMIT_FSIZE on the process, at three sizes"),
    TableRow(55, "the disk of the event files is full", "RLIMIT_FSIZE, and event files that are filled up to it"),
    TableRow(56, "the database is damaged, or gone", "its header is overwritten; its files are deleted"),
    TableRow(57, "PostgreSQL restarts in the middle of a post", "the server is killed at three steps of a post"),
    TableRow(
        58,
        "a pooler of transactions stands before PostgreSQL",
        "every transaction gets a session that nobody had before; advisory locks are counted",
        "stands in for PgBouncer, which gives a transaction any of its sessions: this gives none of them twice",
    ),
    TableRow(61, "the signer is down, or signs something else", "a Web3Signer that answers 503, another key, a high s"),
    TableRow(62, "a private relay never includes the post", "a relay that takes it and keeps it, or mines it late"),
)

TABLE: Final[Mapping[int, TableRow]] = {
    **{
        number: TableRow(number, rows[0].fault, "; ".join(dict.fromkeys(row.injection for row in rows)))
        for number, rows in catalogue().items()
    },
    **{row.number: row for row in _OTHERS},
}
