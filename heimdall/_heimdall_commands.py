"""What installers start: the commands, under whatever name they give them.

The wheel has this file as a module of its own beside the package `heimdall`, whose bare import may fetch a model: it
says that the process is a command before it imports the package. So `argv[0]` does not matter: with `pipx install
--suffix`, in a zip application of shiv or pex, behind a wrapper.
"""

from __future__ import annotations

import gc
import os

running = False
"""Whether the process is one of heimdall's commands, which fetch only when they need a model."""


def heimdall() -> int:
    """The command `heimdall`."""
    _begin()
    from heimdall.cli import end, main

    return end(main())


def heimdall_mcp() -> int:
    """The command `heimdall-mcp`."""
    _begin()
    from heimdall.mcp_server import main

    return main()


def _begin() -> None:
    global running  # noqa: PLW0603 (a fact about the process)
    running = True
    # One thread is as quick for what we compute, and to start others takes a while. Whoever set it knows better.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Imports make many objects and next to no garbage: to look for it after each 700 takes a twentieth of an answer.
    gc.set_threshold(100_000)


def pyinstaller_hooks() -> list[str]:
    """The folders of the hooks that PyInstaller is to use; heimdall is not imported."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("heimdall")
    return (
        [str(Path(folder, "pyinstaller_hooks")) for folder in spec.submodule_search_locations or ()]
        if spec
        else []
    )
