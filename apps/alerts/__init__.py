"""What needs a person, and the decision on the recommended action.

Does not act on a decision; the owner of the action does.
"""
