"""Four eyes: proposals bound to a payload, decided by a second person.

Knows no act of its own: the owners of acts register them, and what is approved runs in their
code, in the transaction of the decision.
"""
