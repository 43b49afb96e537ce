"""What `import heimdall` does about models: fetch them if they are not there, and never fail because of it."""

import os
import sys

from heimdall.errors import HeimdallError
from heimdall.models import locations, warm

_OWN_COMMANDS = ("heimdall", "heimdall-mcp")


def provide_models_on_import() -> None:
    """Bring the default model into the shared directory unless it is there or `$HEIMDALL_FETCH` says otherwise.

    A set that is complete costs one small read and a few `stat` calls. Nothing is raised: what goes wrong is
    logged as a warning, and raised where a model is needed.
    """
    if os.environ.get("HEIMDALL_FETCH") in {"use", "never"} or is_own_command(sys.argv[:1], sys.orig_argv):
        return
    try:
        document = warm.read_json(locations.manifest_path())
        entry = warm.choose_entry(document, None, None)
        if entry is not None and is_ready(entry):
            return
    except (OSError, ValueError, KeyError, TypeError, AttributeError, HeimdallError):
        pass  # the strict reader below says what is wrong
    from heimdall.models.quiet_fetch import fetch_quietly

    fetch_quietly()


def is_ready(entry: "dict[str, object]") -> bool:
    """Whether there is nothing left to do: the set is complete, and the shared directory knows who uses it."""
    system, shared = locations.system_models_dir(), locations.models_dir()
    if warm.complete_set(shared, entry) is not None:
        note = warm.user_note(shared, locations.manifest_path(), entry)
        return os.path.exists(note)
    return warm.complete_set(system, entry) is not None or any(
        warm.plausible_tree(directory, entry) for directory in (system, shared)
    )


def is_own_command(argv: list[str], orig_argv: list[str]) -> bool:
    """Whether this process is one of heimdall's own commands, which fetch only when they need a model.

    Args:
        argv: `sys.argv`; its first item is the script, or `-m` while Python looks for a module to run.
        orig_argv: `sys.orig_argv`.
    """
    script = argv[0] if argv else ""
    if script == "-m":
        after = orig_argv[orig_argv.index("-m") + 1 :] if "-m" in orig_argv else []
        return bool(after) and after[0].split(".")[0] == "heimdall"
    name = os.path.basename(script).lower()
    return name.removesuffix(".exe").removesuffix("-script.py").removesuffix("-script.pyw") in _OWN_COMMANDS
