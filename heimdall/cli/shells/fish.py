"""The completion script for fish."""

from __future__ import annotations

from collections.abc import Iterator

from heimdall.cli.shells.tree import CommandNode, Expected, OptionNode, children

_BEGIN = """\
# Completion of heimdall for fish, made by 'heimdall completion fish'.
function __heimdall_at
    set -l at
    for word in (commandline -opc)[2..]
        if contains -- "$at $word" %(paths)s
            set at "$at $word"
        end
    end
    test "$at" = "$argv"
end
complete -c heimdall -f
"""


def fish_script(nodes: list[CommandNode]) -> str:
    """The script."""
    paths = " ".join(_quoted(_words(node)) for node in nodes if node.path)
    return "".join(
        [
            _BEGIN % {"paths": paths},
            *(f"{line}\n" for node in nodes for line in _lines(node, nodes)),
        ]
    )


def _lines(node: CommandNode, nodes: list[CommandNode]) -> Iterator[str]:
    here = _quoted(f"__heimdall_at {_quoted(_words(node))}")
    begin = f"complete -c heimdall -n {here}"
    for child in children(nodes, node.path):
        yield f"{begin} -a {_quoted(child.path[-1])} -d {_quoted(child.help)}"
    if node.argument is not None and (offer := _offer(node.argument)):
        yield f"{begin} {offer}"
    for option in node.options:
        yield f"{begin} {_option(option)} -d {_quoted(option.help)}"


def _option(option: OptionNode) -> str:
    parts = [
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
    ]
    if option.value is not None:
        parts.append(
            f"-x {_offer(option.value)}"
            if option.value.words
            else "-r -F"
            if option.value.path
            else "-x"
        )
    return " ".join(parts)


def _offer(value: Expected) -> str:
    if value.path:
        return "-F"
    return f"-a {_quoted(' '.join(value.words))}" if value.words else ""


def _words(node: CommandNode) -> str:
    return "".join(f" {word}" for word in node.path)


def _quoted(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{quoted}'"
