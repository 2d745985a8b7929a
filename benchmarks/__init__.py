"""Measurements of speed and memory, each beside the peer in the same run: `make bench`."""
