"""A server that answers requests, event by event: `served.serve`."""
