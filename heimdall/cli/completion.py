"""The command `heimdall completion`."""

from __future__ import annotations

import click

from heimdall.cli.command import command


@command(
    examples=[
        (
            "heimdall completion bash > ~/.local/share/bash-completion/completions/heimdall",
            "bash, for ever",
        ),
        (
            "heimdall completion zsh > ~/.zfunc/_heimdall",
            "zsh; ~/.zfunc has to be in $fpath before compinit",
        ),
        ("heimdall completion fish > ~/.config/fish/completions/heimdall.fish", "fish, for ever"),
        ('eval "$(heimdall completion bash)"', "in this shell alone"),
    ]
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print a script that completes commands and options at the Tab key.

    The script has all of them in it, so no Python runs when you press the key; make it again after an upgrade.
    """
    from heimdall.cli.commands import heimdall
    from heimdall.cli.shells.bash import bash_script
    from heimdall.cli.shells.fish import fish_script
    from heimdall.cli.shells.tree import commands_below
    from heimdall.cli.shells.zsh import zsh_script

    script = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}[shell]
    click.echo(script(commands_below(heimdall)), nl=False)
