"""PostgreSQL refuses to run as root: how a server is started when we are root.

Best is a user namespace, in which root appears as an ordinary user: files keep their owner and nothing has to
be made readable for anybody. Where the kernel or a container forbids namespaces, the server drops to an
ordinary user, and the data directory then belongs to that user.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from orchestra.dev.errors import DevDatabaseError


@dataclass(frozen=True)
class Launcher:
    """What to put before a server command, and who must own the data directory."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None  # None: the files stay ours
    gid: int | None = None

    def hand_over(self, directory: Path) -> None:
        """Give `directory` to the server's user, if that is not us.

        Raises DevDatabaseError when that user cannot get there.
        """
        if self.uid is None or self.gid is None:
            return
        os.chown(directory, self.uid, self.gid)
        reach = subprocess.run([*self.prefix, "test", "-w", str(directory)], check=False)
        if reach.returncode != 0:
            raise DevDatabaseError(
                f"the database server may not run as root, and its user cannot reach {directory}",
                "use a directory that other users can traverse, or run orchestra as an ordinary user",
            )


def _ordinary_user() -> pwd.struct_passwd:
    """A user that exists (initdb looks it up) and is not root; a dedicated one before `nobody`."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    others = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not others:
        raise DevDatabaseError(
            "the database server may not run as root, and this system has no other user",
            "add one, for example: useradd --system postgres",
        )
    return others[-1]


def _namespace(user: pwd.struct_passwd) -> Launcher | None:
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    prefix = (unshare, "--user", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}")
    works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return Launcher(prefix) if works else None


def _dropped(user: pwd.struct_passwd) -> Launcher:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise DevDatabaseError(
            "the database server may not run as root, and neither unshare nor setpriv is here to change that",
            "install util-linux, or run orchestra as an ordinary user",
        )
    prefix = (setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    return Launcher(prefix, user.pw_uid, user.pw_gid)


@functools.cache
def launcher() -> Launcher:
    """How server programs are run by this process: plainly, unless we are root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return Launcher()
    user = _ordinary_user()
    return _namespace(user) or _dropped(user)
