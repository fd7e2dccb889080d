"""jobthread: a Slack app that shows jobs as cards and follows them in threads."""
