"""The price of a kilowatt-hour by region and time.

Owns prices and their history; invoices live in billing.
"""
