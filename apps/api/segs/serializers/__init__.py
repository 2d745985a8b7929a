"""Bodies of this contract, by noun."""
