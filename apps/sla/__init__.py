"""What was promised about outages, what was kept, what follows in money.

Moves no money itself; payments does.
"""
