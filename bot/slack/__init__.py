"""Slack's protocol: events in, Web API out, modals, Socket Mode, HTTP server."""
