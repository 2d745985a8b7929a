"""Why the portal does not start."""


class Refusal(Exception):
    """The portal cannot start; the text is one clear sentence for a person."""
