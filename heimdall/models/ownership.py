"""Whose a file is: what others may write to is not believed. Part of every import of heimdall, so it loads nothing."""

import os

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
"""For opening files in folders that others may write to: a link there is refused."""


def is_own(status: os.stat_result) -> bool:
    """Whether a file or folder belongs to this user or root, and nobody else may write to it.

    Windows tells no owner: there, everything counts.
    """
    if os.name == "nt":
        return True
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & 0o022


def is_finders(name: str) -> bool:
    """Whether a file of that name is of macOS itself, which makes such ones in any folder at any moment."""
    return name == ".DS_Store" or name.startswith("._")


def owner(path: str | os.PathLike[str]) -> str:
    """For messages: the name of a path's owner, or the number of one without a name."""
    try:
        import pwd  # where there are user numbers, there is this

        number = os.stat(path).st_uid
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
    except (OSError, ImportError):
        return "somebody else"
