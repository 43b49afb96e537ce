"""`make bench`: every comparison, one after the other."""

from __future__ import annotations

import shutil

from tests.benchmarks import embedding, fetch, startup


def main() -> None:
    startup.run()
    if missing := [tool for tool in ("nginx", "curl", "unzip") if shutil.which(tool) is None]:
        print(f"\nCold fetch: not measured, since {', '.join(missing)} is not installed")
    else:
        fetch.run()
    embedding.main(args=[], standalone_mode=False)


if __name__ == "__main__":
    main()
