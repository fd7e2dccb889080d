"""Slack's Web API methods."""
