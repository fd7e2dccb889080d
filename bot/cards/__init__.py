"""A job as people see it in Slack: blocks within its limits, and what is built of them. Pure."""
