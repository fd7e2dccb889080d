"""How the local Slack reaches an app: Socket Mode or signed HTTP requests."""
