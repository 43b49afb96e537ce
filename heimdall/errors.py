"""The root of every error that heimdall raises on purpose."""


class HeimdallError(Exception):
    """Base of all of heimdall's errors; its text says what happened and what to do next."""
