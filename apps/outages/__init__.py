"""Events, their correlation into outages, and the life of an outage.

Does not dispatch crews nor tell customers: it publishes what happened.
"""
