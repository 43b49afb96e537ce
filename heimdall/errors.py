"""The root of every error that heimdall raises on purpose."""

from heimdall.models.base_error import HeimdallError

__all__ = ["HeimdallError"]
