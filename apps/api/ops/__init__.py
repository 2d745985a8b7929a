"""The alert approval contract, `/alerts`."""
