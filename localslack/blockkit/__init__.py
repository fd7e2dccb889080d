"""Block Kit's schema and validation."""
