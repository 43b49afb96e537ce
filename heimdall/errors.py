"""The root of every error that heimdall raises on purpose."""

from heimdall.models.errors import HeimdallError

__all__ = ["HeimdallError"]
