"""The options of `heimdall-mcp`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from heimdall.errors import HeimdallError
from heimdall.models.text import printable_lines

DEFAULT_ADDRESS = "127.0.0.1:8080"
_ERROR = 2
_INTERRUPTED = 130


def run_with_options() -> int:
    """Run the command as its options say; its exit code. `HEIMDALL_DEBUG=1` shows tracebacks of errors."""
    try:
        command.main(prog_name="heimdall-mcp", standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"heimdall-mcp: {printable_lines(error.format_message())}", err=True)
        return _ERROR
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except (HeimdallError, OSError) as error:
        if os.environ.get("HEIMDALL_DEBUG") == "1":
            raise
        click.echo(f"heimdall-mcp: {printable_lines(str(error))}", err=True)
        return _ERROR
    return 0  # only --help and --version return


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without options it serves one client on stdin and stdout, which is how assistants start it: "
    "'heimdall mcp install' tells yours.",
)
@click.option(
    "--http",
    "address",
    metavar="[HOST:PORT]",
    is_flag=False,
    flag_value=DEFAULT_ADDRESS,
    help=f"Serve any number of clients over streamable HTTP at /mcp; default: {DEFAULT_ADDRESS}. Clients need the token "
    "in $HEIMDALL_MCP_TOKEN, or in the file that is named at the start.",
)
@click.option(
    "--project",
    type=click.Path(path_type=Path),
    help="The project's directory, as $HEIMDALL_PROJECT.",
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="With --http: listen also where other machines can reach it.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="With --http: a further name (NAME or NAME:PORT) under which clients or a proxy may ask for it.",
)
@click.option(
    "--allow-origin",
    "origins",
    metavar="URL",
    multiple=True,
    help="With --http: a web page's origin that may use it from a browser.",
)
@click.version_option(package_name="heimdall-mcp", prog_name="heimdall-mcp")
def command(
    *,
    address: str | None,
    project: Path | None,
    allow_remote: bool,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
) -> None:
    """Serve a project's memory to AI coding assistants by the Model Context Protocol."""
    if project is not None:
        os.environ["HEIMDALL_PROJECT"] = str(project.absolute())
    if address is None:
        if allow_remote or hosts or origins:
            raise click.UsageError(
                "--allow-remote, --allow-host and --allow-origin belong to --http"
            )
        from heimdall.mcp_server.transport.serve_stdio import serve_stdio

        serve_stdio()
    from heimdall.mcp_server.transport.address import Address
    from heimdall.mcp_server.transport.serve_http import serve_http

    serve_http(Address.parse(address, allow_remote=allow_remote), hosts=hosts, origins=origins)
