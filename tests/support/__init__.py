"""What several tests lean on: a zone that is a dict, and a runner that needs no event loop."""
