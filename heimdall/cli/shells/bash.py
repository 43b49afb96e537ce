"""The completion script for bash, from 3.2 on."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from heimdall.cli.shells.tree import CommandNode, Expected, children

_BEGIN = """\
# Completion of heimdall for bash, made by 'heimdall completion bash'.
_heimdall() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} at= found= files= i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at ${COMP_WORDS[i]}" in
            %(paths)s) at="$at ${COMP_WORDS[i]}" ;;
        esac
    done
    case "$at $previous" in
"""
_MIDDLE = """\
        *)
            if [[ $current == -* ]]; then
                case $at in
"""
_OTHERS = """\
                esac
            else
                case $at in
"""
_END = """\
                esac
            fi
            ;;
    esac
    if [[ $files ]]; then
        compopt -o default 2>/dev/null && return
        local IFS=$'\n'
        COMPREPLY=($(compgen -f -- "$current"))
    else
        COMPREPLY=($(compgen -W "$found" -- "$current"))
    fi
}
complete -F _heimdall heimdall
"""


def bash_script(nodes: list[CommandNode]) -> str:
    """The script."""
    paths = " | ".join(_place(node) for node in nodes if node.path)
    lines = [_BEGIN % {"paths": paths}]
    lines += [f"{' ' * 8}{pattern}) {_offer(value)} ;;\n" for pattern, value in _values(nodes)]
    lines.append(_MIDDLE)
    for node in nodes:
        names = (name for option in node.options for name in option.names if name.startswith("--"))
        lines.append(f"{' ' * 20}{_place(node)}) {_offer(Expected(words=tuple(names)))} ;;\n")
    lines.append(_OTHERS)
    for node in nodes:
        below = Expected(words=tuple(child.path[-1] for child in children(nodes, node.path)))
        lines.append(f"{' ' * 20}{_place(node)}) {_offer(node.argument or below)} ;;\n")
    lines.append(_END)
    return "".join(lines)


def _values(nodes: list[CommandNode]) -> Iterator[tuple[str, Expected]]:
    for node in nodes:
        for option in node.options:
            if option.value is not None:
                for name in option.names:
                    yield quote(f"{''.join(f' {word}' for word in node.path)} {name}"), option.value


def _place(node: CommandNode) -> str:
    return quote("".join(f" {word}" for word in node.path))


def _offer(value: Expected) -> str:
    return "files=1" if value.path else f"found={quote(' '.join(value.words))}"
