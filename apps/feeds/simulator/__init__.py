"""A day on the grid: things break, meters and people speak, crews come, power returns.

`simulation` and `incident` are pure: they say what happens and what is to be done, and are told
what the portal answered. `client` speaks to the portal over its public interface like any
other source, `runner` goes round.
"""
