"""The root of every error that heimdall raises on purpose; a part of every import of heimdall, so nothing is loaded here."""


class HeimdallError(Exception):
    """Base of all of heimdall's errors; its text says what happened and what to do next."""
