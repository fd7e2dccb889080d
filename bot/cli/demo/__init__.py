"""The demo: a local Slack, simulated jobs and the bot."""
