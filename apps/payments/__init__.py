"""Wallets, the ledger and the gateways that move money.

Does not decide who owes what; settlement and billing do.
"""
