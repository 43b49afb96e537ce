"""A contestant in a process of its own: `python -m tests.benchmarks.worker NAME PLACES`.

It embeds one query at once and says so, with the memory it then has; then it does what it is told, a JSON object a line. So
contestants share neither threads nor memory, and each may have another Python. Only what is needed is imported before the first
vector: a process' start is part of what is measured.
"""

import json
import sys

from tests.benchmarks.contestants import CONTESTANTS
from tests.benchmarks.corpus import QUERY


def main() -> None:
    """Serve until standard input ends."""
    embed = CONTESTANTS[sys.argv[1]].make(json.loads(sys.argv[2]))
    embed([QUERY])
    answer({"memory": memory()})

    import time

    import numpy as np

    from tests.benchmarks.corpus import TEXTS

    for line in sys.stdin:
        order = json.loads(line)
        texts = TEXTS[order["texts"]](order["count"])
        seconds = []
        for _ in range(order["times"]):
            start = time.perf_counter()
            vectors = embed(texts)
            seconds.append(time.perf_counter() - start)
        if "save" in order:
            np.save(order["save"], vectors)
        answer({"seconds": seconds, "memory": memory()})


def answer(content: dict[str, object]) -> None:
    """Send one line."""
    print(json.dumps(content), flush=True)


def memory() -> int:
    """Bytes of this process that are in memory now (at most so far, where the system does not say), files it maps included."""
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:  # noqa: PTH123 (pathlib is not part of what we measure)
            pages = int(stream.read().split()[1])
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    import os

    return pages * os.sysconf("SC_PAGESIZE")


if __name__ == "__main__":
    main()
