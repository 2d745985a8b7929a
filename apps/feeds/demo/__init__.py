"""The demo: a network, people, crews and some days of history, so that nobody starts empty."""
