"""Helpers that scan, analyse, audit and publish in one chain.

Act only through services, as an Actor; own no domain rule.
"""
