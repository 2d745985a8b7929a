"""The views of this contract, by noun: decode, one call, encode."""
