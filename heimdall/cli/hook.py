"""The command `heimdall hook`, as it stands in the help; `heimdall.cli.main` runs it without all this."""

from __future__ import annotations

import click

from heimdall.cli.command import command
from heimdall.hooks.hosts import Event


@command(reports=False)
@click.argument("event", type=click.Choice([event.value for event in Event]), metavar="EVENT")
@click.option("--client", metavar="NAME", help="Whose event it is; default: its JSON tells.")
def hook(*, event: str, client: str | None) -> None:
    """Answer an event of an assistant, whose JSON is read on stdin.

    EVENT is session-start, user-prompt, pre-compact, post-compact, stop or session-end. The answer is in the assistant's
    own form. The exit code is always 0, and a JSON that is not known is answered with nothing: what went wrong is in the
    log. 'heimdall mcp install CLIENT --hooks' has an assistant call it.

    Examples:
        heimdall hook session-start --client codex < event.json  # what Codex is told when a session starts
    """
    from heimdall.hooks.run import main

    main([event, *(["--client", client] if client else [])])
