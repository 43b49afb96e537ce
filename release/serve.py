"""`python -m release serve`: packed assets as a GitHub release on this machine, for the demo and for trials."""

from __future__ import annotations

import errno
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.exit_codes import EXIT_INTERRUPTED
from release.project import ASSETS, read_project

if TYPE_CHECKING:
    from release.github_standin.messages import Application, Request, Response

_LONG = 3600.0
"""Seconds; a signal ends the sleep early."""


@click.command()
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=ASSETS,
    show_default="dist/models",
    help="Has a file <tag>/<asset> for each asset, as 'pack' writes them.",
)
@click.option(
    "--repository",
    metavar="OWNER/NAME",
    help="Whose releases these are. [default: of pyproject.toml]",
)
@click.option("--host", default="127.0.0.1", help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 takes a free one."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="BYTES_PER_SECOND",
    help="Send each asset no faster than this.",
)
@click.option(
    "--log",
    "log_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append a line of JSON for each request to this file.",
)
@click.pass_context
def serve(
    context: click.Context,
    *,
    directory: Path,
    repository: str | None,
    host: str,
    port: int,
    rate: float | None,
    log_file: Path | None,
) -> None:
    """Serve packed assets as GitHub does: redirects to a second host, signed URLs, ranges.

    The first line of output is the setting that makes heimdall download from here. Ends on Ctrl-C
    and SIGTERM.
    """
    from release.github_standin.log import RequestLog
    from release.github_standin.standin import GitHubStandIn

    _check(directory, host)
    # As Ctrl-C does, an exception ends the wait below and closes what is open.
    signal.signal(signal.SIGTERM, lambda *_: context.exit())
    with ExitStack() as opened:
        log = (
            opened.enter_context(log_file.open("a", encoding="utf-8"))
            if log_file is not None
            else None
        )
        try:
            github = GitHubStandIn(
                directory,
                repository=repository or read_project().repository,
                host=host,
                port=port,
                around=partial(_limited, rate),
                log=RequestLog(log),
            )
        except OSError as error:
            raise ModelBuildError(f"--host {host} --port {port}", [_explain(error)]) from error
        opened.enter_context(github)
        click.echo(f"HEIMDALL_GITHUB_URL={github.url}")
        click.echo(f"serving {directory}; Ctrl-C ends it", err=True)
        try:
            while True:
                time.sleep(_LONG)
        except KeyboardInterrupt:
            context.exit(EXIT_INTERRUPTED)


def _limited(rate: float | None, host: str, application: Application) -> Application:
    """The application, with its answers slowed where the assets are and a rate is given."""
    from release.github_standin.messages import slowed

    if rate is None or host != "assets":
        return application

    def slow(request: Request) -> Response:
        response = application(request)
        return replace(response, body=slowed(response.body, rate, request.pause))

    return slow


def _check(directory: Path, host: str) -> None:
    if not directory.is_dir():
        raise ModelBuildError(
            str(directory),
            [
                "no such directory; 'python -m release pack' makes it, or name another with --directory"
            ],
        )
    try:
        wildcard = ip_address(host).is_unspecified
    except ValueError:
        wildcard = False
    if wildcard:
        raise ModelBuildError(
            f"--host {host}",
            ["is not an address that clients can be sent to; name one that this machine has"],
        )


def _explain(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program listens there; name another port, or leave --port out to get a free one"
    return f"can't listen there: {error.strerror or error}"
