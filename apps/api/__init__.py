"""The published contracts, one package each.

Decodes, calls one service or selector, encodes.
"""
