"""The manifests of the other packages whose models it provides."""

import os

from PyInstaller import isolated
from PyInstaller.config import CONF


@isolated.decorate
def _manifests(folder):  # type: ignore[no-untyped-def]
    import _heimdall_commands  # type: ignore[import-untyped]

    _heimdall_commands.running = True  # so that the import below fetches nothing
    from heimdall.models.frozen import manifests

    return manifests(folder)


datas = _manifests(os.path.join(CONF["workpath"], "manifests"))
