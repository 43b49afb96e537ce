"""What PyInstaller packs with heimdall: the manifest of its model, and the modules that are imported by name.

Nothing of heimdall is imported here: that may fetch a model.
"""

from pathlib import Path

from PyInstaller.utils.hooks import collect_data_files, copy_metadata

_FOLDER = Path(__file__).parents[1]

datas = [*collect_data_files("heimdall"), *copy_metadata("heimdall-mcp")]
hiddenimports = [
    ".".join(("heimdall", *path.relative_to(_FOLDER).with_suffix("").parts))
    for path in (_FOLDER / "models").rglob("[!_]*.py")
    if path.stem.isidentifier()  # no hook
]
