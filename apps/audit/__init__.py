"""The trail: who did what, for whom, when, from where, before and after.

Append-only in the database and hash-chained. Owns no judgement about what is allowed.
"""
