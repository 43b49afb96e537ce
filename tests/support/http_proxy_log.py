"""What the proxy of `tests.support.http_proxy` runs: its own log tells of a request when the connection ends."""

from __future__ import annotations

import os
from pathlib import Path

from proxy.http.parser import HttpParser
from proxy.http.proxy import HttpProxyBasePlugin


class RequestLog(HttpProxyBasePlugin):
    """Writes a line for each request that was let through, before it is passed on."""

    def before_upstream_connection(self, request: HttpParser) -> HttpParser | None:
        """Write method and target."""
        method, host, port = request.method or b"", request.host or b"", request.port or 0
        with Path(os.environ["PROXY_REQUEST_LOG"]).open("ab") as log:
            log.write(b"%s %s:%d\n" % (method, host, port))
        return request
