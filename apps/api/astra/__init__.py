"""The scanner, agents and digital twin contract."""
