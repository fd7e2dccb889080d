"""Slack: what comes in, what goes out, and the two ways to be connected."""
