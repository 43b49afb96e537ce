"""A stand-in for the `docker` command, for machines without Docker: answers what a real one prints, from a folder.

Each folder `<volumes>/<name>` is a named volume; `<volumes>/<name>.json` says which container has it and whether that runs.
What it prints is the form of docker 28's commands `volume ls`, `ps`, `inspect` and `cp`; every call is noted in `calls`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

_PROGRAM = """\
#!{python}
import json, shutil, sys
from pathlib import Path

folder, arguments = Path({folder!r}), sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(" ".join(arguments) + "\\n")
states = {{path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}}
if (folder / "down").exists():
    sys.exit("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
if arguments[:2] == ["volume", "ls"]:
    print("\\n".join(states))
elif arguments[0] == "ps":
    (name,) = [word.removeprefix("volume=") for word in arguments if word.startswith("volume=")]
    state = states[name]
    if state["container"] and (state["running"] or "--all" in arguments):
        print(state["container"])
elif arguments[0] == "inspect":
    found = [name for name, state in states.items() if state["container"] == arguments[-1]]
    print(json.dumps([{{"Type": "bind", "Source": "/x", "Destination": "/y"}}] + [
        {{"Type": "volume", "Name": name, "Destination": "/qdrant/storage"}} for name in found]))
elif arguments[0] == "cp":
    container = arguments[1].partition(":")[0]
    (name,) = [name for name, state in states.items() if state["container"] == container]
    if states[name].get("broken"):
        sys.exit("Error response from daemon: Could not find the file /qdrant/storage/. in container " + container)
    shutil.copytree(folder / name, arguments[2], symlinks=True)
else:
    sys.exit("unknown command: " + " ".join(arguments))
"""


class DockerStandIn:
    """Attributes: `folder` with the volumes, and `programs`, to be put on the PATH."""

    def __init__(self, top: Path) -> None:
        self.folder, self.programs = top / "volumes", top / "programs"
        self.folder.mkdir(parents=True)
        self.programs.mkdir()
        program = self.programs / "docker"
        program.write_text(_PROGRAM.format(python=sys.executable, folder=str(self.folder)))
        program.chmod(0o755)

    def add_volume(
        self,
        name: str,
        *,
        container: str | None = "0a1b2c",
        running: bool = False,
        broken: bool = False,
    ) -> Path:
        """A volume; the folder of its files."""
        state = {"container": container, "running": running, "broken": broken}
        (self.folder / f"{name}.json").write_text(json.dumps(state))
        (self.folder / name).mkdir()
        return self.folder / name

    def stop(self) -> None:
        """From now on no daemon answers."""
        (self.folder / "down").touch()

    @property
    def calls(self) -> list[str]:
        """Every command line so far."""
        return (self.folder / "calls").read_text().splitlines()
