"""The completion script for zsh."""

from __future__ import annotations

from collections.abc import Iterable

from heimdall.cli.shells.tree import CommandNode, Expected, children

_BEGIN = """\
#compdef heimdall
# Completion of heimdall for zsh, made by 'heimdall completion zsh'.
_heimdall() {
    local at= word
    local -a found
    for word in "${(@)words[2,CURRENT-1]}"; do
        case "$at $word" in
            (%(paths)s) at="$at $word" ;;
        esac
    done
    case "$at ${words[CURRENT-1]}" in
"""
_MIDDLE = """\
    esac
    if [[ $PREFIX == -* ]]; then
        case $at in
"""
_OTHERS = """\
        esac
        _describe -o option found
        return
    fi
    case $at in
"""
_END = """\
    esac
    _describe command found
}
if [[ $funcstack[1] == _heimdall ]]; then
    _heimdall "$@"
else
    compdef _heimdall heimdall
fi
"""


def zsh_script(nodes: list[CommandNode]) -> str:
    """The script; it can be sourced, or be a file `_heimdall` in a directory of `$fpath`."""
    lines = [_BEGIN % {"paths": "|".join(_place(node) for node in nodes if node.path)}]
    for node in nodes:
        for option in node.options:
            if option.value is not None:
                patterns = "|".join(_quoted(f"{_words(node)} {name}") for name in option.names)
                lines.append(f"        ({patterns}) {_offer(option.value)}; return ;;\n")
    lines.append(_MIDDLE)
    for node in nodes:
        described = ((name, option.help) for option in node.options for name in option.names)
        lines.append(f"            ({_place(node)}) found=({_described(described)}) ;;\n")
    lines.append(_OTHERS)
    for node in nodes:
        below = ((child.path[-1], child.help) for child in children(nodes, node.path))
        offer = (
            f"found=({_described(below)})"
            if node.argument is None
            else f"{_offer(node.argument)}; return"
        )
        lines.append(f"        ({_place(node)}) {offer} ;;\n")
    lines.append(_END)
    return "".join(lines)


def _offer(value: Expected) -> str:
    if value.path:
        return "_files"
    return f"compadd -- {' '.join(map(_quoted, value.words))}" if value.words else ":"


def _described(pairs: Iterable[tuple[str, str]]) -> str:
    return " ".join(_quoted(f"{name.replace(':', chr(92) + ':')}:{text}") for name, text in pairs)


def _words(node: CommandNode) -> str:
    return "".join(f" {word}" for word in node.path)


def _place(node: CommandNode) -> str:
    return _quoted(_words(node))


def _quoted(text: str) -> str:
    quoted = text.replace("'", "'\\''")
    return f"'{quoted}'"
