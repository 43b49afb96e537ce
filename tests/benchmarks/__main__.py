"""`make bench`: every comparison, one after the other; `python -m tests.benchmarks COMMAND`: one of them."""

from __future__ import annotations

import shutil

import click

from tests.benchmarks import embedding, fetch, recall_quality, recall_speed, startup


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Compare with peers. Without a command: all that needs no data of yours."""
    if context.invoked_subcommand is not None:
        return
    startup.run()
    if missing := [tool for tool in ("nginx", "curl", "unzip") if shutil.which(tool) is None]:
        click.echo(f"\nCold fetch: not measured, since {', '.join(missing)} is not installed")
    else:
        fetch.run()
    embedding.main(args=[], standalone_mode=False)


main.add_command(embedding.main, "embedding")
main.add_command(recall_quality.main, "recall")
main.add_command(recall_speed.main, "recall-speed")


if __name__ == "__main__":
    main()
