"""Delivery of the outbox to Slack: order, rate limits, retries, message metadata."""
