"""The portal's own processes: start them in order, watch them, stop them without a rest.

Plain Python without Django, so that the supervisor stays small and outlives what it
watches.
"""
