"""The directory from which the embedded server creates extensions.

PostgreSQL 18 looks for control files along `extension_control_path`. The stand-ins are copied beside the data
directory, because the server's user may not be able to read this package.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from orchestra.dev.errors import DevDatabaseError


def install(share: Path, *, with_pgmq: bool = False) -> None:
    """Write the stand-ins' control and script files under `share/extension`, and pgmq's if asked for.

    Files that are there and equal are left alone; a pgmq that is no longer asked for is taken away.
    """
    wanted = {
        item.name: item.read_text(encoding="utf-8")
        for item in (files("orchestra.dev") / "share" / "extension").iterdir()
        if item.name.endswith((".control", ".sql"))
    }
    if with_pgmq:
        wanted |= _pgmq()
    target = share / "extension"
    target.mkdir(parents=True, exist_ok=True)
    for present in target.iterdir():
        if present.name not in wanted:
            present.unlink()
    for name, text in wanted.items():
        path = target / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        path.chmod(0o644)


def _pgmq() -> dict[str, str]:
    """pgmq as an extension, made from the official script of the `pgmq` package, which serves for both."""
    sql_dir = files("pgmq") / "sql"
    script = (sql_dir / "pgmq.sql").read_text(encoding="utf-8")
    version = (sql_dir / "VERSION").read_text(encoding="utf-8").strip().removeprefix("v")
    if re.fullmatch(r"\d+(\.\d+)*", version) is None:
        raise DevDatabaseError(f"the pgmq package names an odd version of its SQL: {version!r}")
    control = (
        "comment = 'A lightweight message queue. Like AWS SQS and RSMQ but on Postgres.'\n"
        f"default_version = '{version}'\n"
        "schema = pgmq\n"
        "relocatable = false\n"
        "superuser = false\n"
    )
    return {"pgmq.control": control, f"pgmq--{version}.sql": script}
