"""What `import heimdall` does about models: fetch them if they are not there, and never fail because of it."""

import os
import sys

from .locate import locate

_OWN_COMMANDS = ("heimdall", "heimdall-mcp")


def provide_models_on_import() -> None:
    """Bring the default model into the shared directory unless it is there or `$HEIMDALL_FETCH` says otherwise.

    A set that is complete costs one small read and a few `stat` calls. Nothing is raised: what goes wrong is
    logged as a warning, and raised where a model is needed.
    """
    if os.environ.get("HEIMDALL_FETCH") in {"use", "never"} or is_own_command(
        sys.argv[:1], sys.orig_argv
    ):
        return
    location = locate()
    if location.here and location.noted:
        return
    from .quiet_fetch import fetch_quietly

    fetch_quietly()


def is_own_command(argv: list[str], orig_argv: list[str]) -> bool:
    """Whether this process is one of heimdall's own commands, which fetch only when they need a model.

    Args:
        argv: `sys.argv`; its first item is the script, or `-m` while Python looks for a module to run.
        orig_argv: `sys.orig_argv`.
    """
    script = argv[0] if argv else ""
    if script == "-m":
        return (_module_to_run(orig_argv[1:]) or "").split(".")[0] == "heimdall"
    name = os.path.basename(script).lower()
    return (
        name.removesuffix(".exe").removesuffix("-script.py").removesuffix("-script.pyw")
        in _OWN_COMMANDS
    )


def _module_to_run(options: list[str]) -> str | None:
    """The module that Python's own options name, also as `-mNAME` or behind other letters as in `-Im NAME`."""
    for number, option in enumerate(options):
        if not option.startswith("-") or option.startswith("--"):
            continue
        for place, letter in enumerate(option[1:], 1):
            if letter == "m":
                return option[place + 1 :] or next(iter(options[number + 1 :]), None)
            if letter in "cWX":
                break  # the rest is its value
    return None
