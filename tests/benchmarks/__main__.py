"""`make bench`: every comparison, one after the other; `python -m tests.benchmarks NAME [OPTION …]`: one of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial

import click

from tests.benchmarks import (
    alike,
    broken_networks,
    embedding,
    fetch,
    hook,
    many_files,
    memory,
    recall_evaluation,
    recall_quality,
    recall_speed,
    report,
    server,
    shipping,
    startup,
    token_code,
)


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Compare with others, side by side, and print ratios. Without a name: all that needs no data of yours."""
    if context.invoked_subcommand is None:
        for compare in ALL.values():
            compare()


@main.command("fetch")
def run_fetch_command() -> None:
    """Cold fetch of the real model over loopback."""
    run_fetch()


def run_fetch() -> None:
    """Needs nginx, curl and unzip."""
    if missing := [tool for tool in ("curl", "unzip") if shutil.which(tool) is None]:
        click.echo(f"\nCold fetch: not measured, since {', '.join(missing)} is not installed")
    else:
        fetch.run()
        many_files.run()


def call(command: click.Command, *options: str) -> Callable[[], object]:
    """The command, without the end of the process that click makes of its end."""
    return partial(command.main, args=[*options], standalone_mode=False)


PUBLISHED: dict[str, Callable[[], object]] = {
    "embedding": call(embedding.main),
    "startup": startup.run,
    "server": server.run,
    "fetch": run_fetch,
    "broken-networks": broken_networks.run,
    "shipping": shipping.run,
}
"""What docs/performance.md tells, the one that is drawn first."""
ALL = PUBLISHED | {"memory": call(memory.main, "--rounds", "2", "--size", "10000")}
"""What needs no data of its user."""


@main.command("report")
def write_report() -> None:
    """Run all comparisons, and write their tables into docs/performance.md with the machine and its load."""
    report.run(PUBLISHED)


main.add_command(alike.main, "alike")
main.add_command(embedding.main, "embedding")
main.add_command(memory.main, "memory")
main.add_command(recall_evaluation.main, "recall")
main.add_command(recall_quality.main, "recall-peers")
main.add_command(recall_speed.main, "recall-speed")
main.add_command(token_code.main, "token-code")
main.command("startup", help="Warm import, and help.")(startup.run)
main.command("broken-networks", help="Import where the model can't be fetched.")(
    broken_networks.run
)
main.command("server", help="The MCP server's first answer.")(server.run)
main.command("shipping", help="What a package that ships its model costs its users.")(shipping.run)
main.command("many-files", help="A model of thousands of tiny files.")(many_files.run)
main.command("hook", help="The build hook.")(hook.run)


if __name__ == "__main__":
    main()
