"""Whether a project's folder can be believed: a real one, of the user's own.

Who owns `.heimdall` has written its settings and memories, and an assistant reads them. The rule is git's for
repositories: what belongs to another user is not looked at unless the user trusts it (`trust.py`). What belongs to root
is believed, if nobody else may write it. Windows tells of no owners here: its folders are guarded by their access lists
alone.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cognitive_memory.project.errors import UntrustedProjectError
from heimdall.models.ownership import is_own

_ROOT = 0
_JUNCTION = 0xA0000003
"""The tag of a directory on Windows that leads elsewhere, as a link does."""


def check(root: Path, folder: Path) -> None:
    """Raise unless a project's folder is a real one of the user's, or may be made by the user.

    Args:
        root: the project's directory.
        folder: its folder `.heimdall`. While it is not there, the directory and its `.git` count, as for git: what is
            stored would lie in another user's repository.

    Raises:
        UntrustedProjectError: it is a link or no folder; or it belongs to somebody else, and is not trusted.
        OSError: it can't be looked at.
        SettingsError: `$HEIMDALL_TRUST` has an entry that can't be used.
    """
    try:
        status = os.lstat(folder)
    except FileNotFoundError:
        _check_owners(root, [root, root / ".git"])
        return
    if stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION:
        advice = "Make it a folder, or name the project that it leads to: HEIMDALL_PROJECT=DIR"
        problem = "is a link, which may lead into another project"
        raise UntrustedProjectError(folder, problem, advice)
    if not stat.S_ISDIR(status.st_mode):
        problem = "is no folder, but has the name of heimdall's"
        raise UntrustedProjectError(folder, problem, "Move it away.")
    # The user's own folder counts whatever its mode, as for git: many have a umask of 002.
    if is_own(status) or status.st_uid == os.geteuid():
        return
    _refuse_unless_trusted(root, folder, status)


def _check_owners(root: Path, paths: list[Path]) -> None:
    if os.name == "nt":
        return
    for path in paths:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            continue
        if status.st_uid not in {os.geteuid(), _ROOT}:
            _refuse_unless_trusted(root, path, status)


def _refuse_unless_trusted(root: Path, path: Path, status: os.stat_result) -> None:
    from cognitive_memory.project.trust import VARIABLE, is_trusted
    from heimdall.models.advice import argument

    if is_trusted(root):
        return
    owner, user = status.st_uid, os.geteuid()
    problem = f"dubious ownership: it belongs to {_name_of(owner)}, and you are {_name_of(user)}"
    if owner == _ROOT:
        problem = f"dubious ownership: it belongs to root, but others may write it (mode {status.st_mode & 0o7777:o})"
    advice = f"If you trust what is there: heimdall project trust {argument(root)}"
    advice += f" (in a container: {VARIABLE})"
    if user == _ROOT and os.environ.get("SUDO_UID") == str(owner):
        advice = f"Run heimdall without sudo. {advice}"
    raise UntrustedProjectError(path, problem, advice)


def _name_of(uid: int) -> str:
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"
