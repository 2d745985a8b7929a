"""The smart-grid gateway contract: meters, tariffs, billing, alerts."""
