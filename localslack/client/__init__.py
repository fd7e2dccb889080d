"""What Slack's own client does: typing, clicking, submitting forms."""
