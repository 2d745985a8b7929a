"""The network outage contract with SLA and settlement."""
