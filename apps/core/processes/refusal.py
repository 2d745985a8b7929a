"""Why the portal does not start."""


class Refusal(Exception):
    """The portal cannot start; its text is one clear sentence for the person at the console."""
