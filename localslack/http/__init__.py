"""HTTP routes of the local Slack: Web API, page, rate limits."""
