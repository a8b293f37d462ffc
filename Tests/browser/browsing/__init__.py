"""What the tests of the dashboard share: a browser, eyes on what it complains about, and quick hands for the API. The
stack and the devices are those of the end-to-end tests (Tests/e2e/support)."""
