"""Its own data, the modules that are imported by name, and the manifests of the packages whose models it provides."""

import os

from PyInstaller import isolated
from PyInstaller.config import CONF
from PyInstaller.utils.hooks import collect_data_files, collect_submodules


@isolated.decorate
def _manifests(folder):  # type: ignore[no-untyped-def]
    from heimdall_models.frozen import manifests

    return manifests(folder)


datas = [
    *collect_data_files("heimdall_models"),
    *_manifests(os.path.join(CONF["workpath"], "manifests")),
]
hiddenimports = collect_submodules("heimdall_models")
