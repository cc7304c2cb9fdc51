"""`python -m orchestra.dev.fingerprint --db URL`: installs the runtime, in a transaction that is rolled back, and
writes the fingerprint that it gives to `orchestra/runtime/fingerprint.txt`. Run it after every change of the SQL."""

from __future__ import annotations

from pathlib import Path

import click

from orchestra import runtime
from orchestra.kinds import Server
from orchestra.kinds.runtime import Runtime, ensure
from orchestra.live.connect import Database, connect


def measure(database: Database) -> str:
    """The fingerprint of this very runtime; the database is left as it was."""
    with database.transaction("begin; set local client_min_messages = warning"):
        database.script("drop schema if exists orchestra cascade")
        for statement in ensure(Runtime("orchestra", runtime.VERSION, ""), "", Server()):
            database.script(statement)
        (row,) = database.rows(runtime.fingerprint_sql())
        return str(row["fingerprint"])


@click.command()
@click.option("--db", required=True, help="A database of your own, such as the embedded one.")
def main(db: str) -> None:
    database = connect(db)
    try:
        fingerprint = measure(database)
    finally:
        database.close()
    Path(runtime.__file__).with_name("fingerprint.txt").write_text(fingerprint + "\n", encoding="utf-8")
    click.echo(fingerprint)


if __name__ == "__main__":
    main()
