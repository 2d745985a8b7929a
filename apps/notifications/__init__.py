"""Notices to customers and their delivery, recipient by recipient.

Owns what was sent to whom; who is affected comes from outages.
"""
