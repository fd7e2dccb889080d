"""What operators type: the commands, and what only they need."""
