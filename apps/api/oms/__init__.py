"""The outage management contract, `/api/oms`."""
