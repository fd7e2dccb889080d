"""Boards: several jobs in one message."""
