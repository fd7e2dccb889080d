"""The weekly report of a channel: statistics, replay, recommendations."""
