"""Which device is open? Pure, array-based and deterministic: no rows, no clock.

`matching` places one event at once; `inference` judges a part of the network again.
"""
