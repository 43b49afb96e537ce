"""The command `heimdall completion`."""

from __future__ import annotations

import click

from heimdall.cli.command import command


@command(reports=False)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
def completion(*, shell: str) -> None:
    """Print a script that completes commands and options at the Tab key.

    The script asks heimdall at each press of the key, so it knows what an upgrade adds. Bash has to be 4.4 or newer; that of
    macOS is 3.2, where zsh is the usual shell.

    Examples:
        heimdall completion bash > ~/.local/share/bash-completion/completions/heimdall  # bash, for ever
        heimdall completion zsh > ~/.zfunc/_heimdall  # zsh; ~/.zfunc has to be in $fpath before compinit
        heimdall completion fish > ~/.config/fish/completions/heimdall.fish  # fish, for ever
        heimdall completion powershell | Out-String | Invoke-Expression  # PowerShell; for ever as a line of $PROFILE
        eval "$(heimdall completion bash)"  # in this shell alone
    """
    from click.shell_completion import get_completion_class

    from heimdall.cli import powershell  # noqa: F401 (makes itself known to click)
    from heimdall.cli.commands import COMPLETE_VARIABLE, PROGRAM, heimdall

    shell_class = get_completion_class(shell)
    assert shell_class is not None  # noqa: S101 (the choices are click's own)
    script = shell_class(heimdall, {}, PROGRAM, COMPLETE_VARIABLE)
    # click's script for fish cuts a help text at its first comma
    click.echo(script.source().replace('split ","', 'split --max 1 ","'), nl=False)
