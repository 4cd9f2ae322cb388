"""Fixtures for all tests live in tests/support, one module per topic."""

pytest_plugins = ["support.lab_fixtures", "support.command", "support.demo_server", "support.shelf"]
