"""The grid as built and as switched: regions, feeders, devices, meters, topology.

Owns identity and place of things and their actual switch state; outages live elsewhere.
"""
