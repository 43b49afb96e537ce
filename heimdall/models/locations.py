"""Where things are, as plain strings.

Part of every import of heimdall: nothing but `os` and `sys` is loaded here in the ordinary case, since platformdirs'
answer is known without importing it (a test holds the two together).
"""

import os
import sys

from .base_error import HeimdallError

_APPLICATION = "heimdall"
_AUTHOR = "heimdall-mcp"
_XDG = ("XDG_DATA_HOME", "XDG_DATA_DIRS")
_HOMEBREW = ("/opt/", "/Cellar/")
PACKAGE_DIRECTORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The directory of the package `heimdall`."""


def named_directory(variable: str, value: str | None = None) -> str:
    """The directory that a variable names, as an absolute path; empty if it names none.

    Args:
        variable: its name.
        value: default: its value.

    Raises:
        SettingsError: if what a shell or a service manager should have taken away or put in is still there; a directory
            of such a name is not what anybody wants.
    """
    value = os.environ.get(variable) if value is None else value
    if not value:
        return ""
    path = os.path.expanduser(value)
    is_plain = value == value.strip(" \t\r\n\"'") and not path.startswith("~")
    if is_plain and not _has_references(value):
        return os.path.abspath(path)
    from .settings import SettingsError

    expected = "a plain path, best an absolute path: no quotation marks or blanks around it, no $NAME or %NAME%, no ~ of an unknown user"
    raise SettingsError(variable, value, expected)


def _has_references(text: str) -> bool:
    shell = any(rest[:1] == "{" or rest[:1].isidentifier() for rest in text.split("$")[1:])
    return shell or any(name.isidentifier() for name in text.split("%")[1:-1])


def data_dir() -> str:
    """The shared per-user directory: `$HEIMDALL_DATA_DIR`, else platformdirs' user data directory.

    Without a home it is the first entry of `$STATE_DIRECTORY`, which systemd gives to a service.

    Raises:
        SettingsError: if there is none of all these, or the variable can't be used.
    """
    return named_directory("HEIMDALL_DATA_DIR") or user_data_dir()


def private_dir() -> str:
    """The folder of what this user believes without looking again, empty where there is none.

    It is in platformdirs' user data directory, also when `$HEIMDALL_DATA_DIR` names one that is shared with others.
    """
    try:
        return os.path.join(user_data_dir(), "private")
    except HeimdallError:
        return ""


def user_data_dir() -> str:
    """As `data_dir`, whatever `$HEIMDALL_DATA_DIR` says."""
    if state := _state_directory():
        return state
    if windows := _windows_directory("LOCALAPPDATA"):
        return windows
    home = os.environ.get("HOME")
    below = "Library/Application Support" if sys.platform == "darwin" else ".local/share"
    if base := _usual_directory("XDG_DATA_HOME", f"{home}/{below}" if home else ""):
        return f"{base}/{_APPLICATION}"
    import platformdirs

    try:
        directory = platformdirs.user_data_dir(_APPLICATION, _AUTHOR)
    except RuntimeError:  # its newer versions, without a home directory
        directory = ""
    if os.path.isabs(directory):
        return directory
    # Older versions leave `~` as it is; a folder of that name is not what anybody wants.
    from .settings import SettingsError

    expected = "your home directory, as an absolute path; or set HEIMDALL_DATA_DIR to a directory for heimdall's data"
    raise SettingsError("HOME", home or "", expected)


def _state_directory() -> str:
    """What systemd gives to a service to keep its state in, where there is no home to keep it in."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if not os.path.isabs(given) or os.environ.get("XDG_DATA_HOME"):
        return ""
    home = os.path.expanduser("~")
    # A user without a home has one by name: / or a folder that is not there.
    return "" if home != os.sep and os.path.isdir(home) else given


def models_dir() -> str:
    """The directory of the shared models: `$MODEL_CACHE_DIR`, else `models` in the data directory."""
    return named_directory("MODEL_CACHE_DIR") or os.path.join(data_dir(), "models")


def system_models_dir() -> str:
    """The read-only tier: `$HEIMDALL_SYSTEM_MODELS`, else `models` in platformdirs' site data directory."""
    if chosen := named_directory("HEIMDALL_SYSTEM_MODELS"):
        return chosen
    if windows := _windows_directory("PROGRAMDATA"):
        return os.path.join(windows, "models")
    usual = "/Library/Application Support" if sys.platform == "darwin" else "/usr/local/share"
    if base := _usual_directory("XDG_DATA_DIRS", usual):
        return f"{base}/{_APPLICATION}/models"
    import platformdirs

    return os.path.join(platformdirs.site_data_dir(_APPLICATION, _AUTHOR), "models")


def manifest_path() -> str:
    """The pinned manifest: inside the installed package, or the lock of the checkout in an editable install.

    When neither is there, the first of the two is returned: the error of whoever reads it names that one.
    """
    carried = os.path.join(PACKAGE_DIRECTORY, "model_manifest.json")
    lock = os.path.join(os.path.dirname(PACKAGE_DIRECTORY), "models.lock.json")
    return lock if not os.path.exists(carried) and os.path.exists(lock) else carried


def _windows_directory(variable: str) -> str:
    """What platformdirs answers on Windows: it asks the system, whose answer the variable is, unless somebody sets another.

    So programs that are given a home of their own by their environment, as in tests, keep to it.
    """
    folder = os.environ.get(variable, "") if sys.platform == "win32" else ""
    return os.path.join(folder, _AUTHOR, _APPLICATION) if os.path.isabs(folder) else ""


def _usual_directory(variable: str, default: str) -> str | None:
    """What platformdirs answers in the ordinary cases on Linux and macOS; None leaves the others to platformdirs itself."""
    if sys.platform == "darwin":
        # Its versions differ in what they make of the variables, and of Homebrew's Python.
        if any(name in os.environ for name in _XDG) or any(
            part in f"{sys.prefix} {sys.base_prefix}" for part in _HOMEBREW
        ):
            return None
    elif sys.platform != "linux" or "ANDROID_ROOT" in os.environ:
        return None
    value = os.environ.get(variable) or default
    if variable.endswith("DIRS"):
        value = value.partition(":")[0]  # the first of a list
    is_plain = value.startswith("/") and value == value.strip() and not set(value) & {":", "~", "$"}
    return value if is_plain and not value.endswith("/") and "//" not in value else None
