"""A stand-in for GitHub's releases, for tests and the demo: it behaves as the real one, on loopback.

`GitHubStandIn` puts two hosts together, as GitHub does: the *web* host redirects to the *assets* host with a signed
URL that expires. `Listener` is the HTTP server beneath both, and serves any `Application`; `Fault` rules make it
misbehave; `RequestLog` remembers what was asked. With `Releases` it has the part of GitHub's API that `gh release` needs.
"""

from release.github_standin.effects import (
    CutAfter,
    CutUpload,
    Delay,
    Drip,
    Drop,
    Effect,
    IgnoreRange,
    Instead,
    Unheard,
    WrongBytes,
)
from release.github_standin.faults import Fault, Faults
from release.github_standin.listener import Listener
from release.github_standin.log import Record, RequestLog
from release.github_standin.messages import Application, BytesBody, FileBody, Request, Response
from release.github_standin.releases import Release, Releases
from release.github_standin.standin import GitHubStandIn

__all__ = [
    "Application",
    "BytesBody",
    "CutAfter",
    "CutUpload",
    "Delay",
    "Drip",
    "Drop",
    "Effect",
    "Fault",
    "Faults",
    "FileBody",
    "GitHubStandIn",
    "IgnoreRange",
    "Instead",
    "Listener",
    "Record",
    "Release",
    "Releases",
    "Request",
    "RequestLog",
    "Response",
    "Unheard",
    "WrongBytes",
]
