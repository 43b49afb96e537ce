"""A stand-in for GitHub's release downloads, for tests and the demo: it behaves as the real one, on loopback.

`GitHubStandIn` puts two hosts together, as GitHub does: the *web* host redirects to the *assets* host with a signed
URL that expires. `Listener` is the HTTP server beneath both, and serves any `Application`; `Fault` rules make it
misbehave; `RequestLog` remembers what was asked.
"""

from release.github_standin.effects import CutAfter, Delay, Drip, Drop, Effect, IgnoreRange, Instead, WrongBytes
from release.github_standin.faults import Fault, Faults
from release.github_standin.listener import Listener
from release.github_standin.log import Record, RequestLog
from release.github_standin.messages import Application, BytesBody, FileBody, Request, Response
from release.github_standin.standin import GitHubStandIn

__all__ = [
    "Application",
    "BytesBody",
    "CutAfter",
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
    "Request",
    "RequestLog",
    "Response",
    "WrongBytes",
]
