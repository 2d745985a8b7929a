"""Four eyes: proposals bound to a payload, decided by a second person.

Does not execute what it approves; the owner of the act does.
"""
