"""Invoices and their notes, interval by interval.

Owns what is owed by customers; prices come from tariffs.
"""
