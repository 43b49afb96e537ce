"""A stand-in for GitHub's releases, for tests and the demo: it behaves as the real one, on loopback.

`GitHubStandIn` puts two hosts together, as GitHub does: the *web* host redirects to the *assets*
host with a signed URL that expires. `Listener` is the HTTP server beneath both, and serves any
`Application`; `RequestLog` writes what was asked. Tests add what only they need by `around`:
GitHub's API, private repositories, faults.
"""
