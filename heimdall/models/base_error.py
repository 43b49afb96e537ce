"""The root of every error that heimdall raises on purpose; a part of every import of heimdall, so nothing is loaded here."""


class HeimdallError(Exception):
    """Base of all of heimdall's errors; its text says what happened and what to do next.

    Attributes:
        says: the text of a kind of error, with the names of its attributes in braces; empty for
            what is made with a text.
    """

    says = ""

    def __str__(self) -> str:
        return self.says.format_map(vars(self)) if self.says else super().__str__()
