"""A request, from the inbox to the actions that answer it."""
