"""The pages for people: one module and one template a page.

Reads selectors and calls services; holds no rule of its own.
"""
