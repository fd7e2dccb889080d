"""Block Kit builders within Slack's limits; a job's card and thread reply. Pure."""
