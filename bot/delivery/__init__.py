"""The way out: whose turn it is, what Slack allows, and what becomes of what it refuses."""
