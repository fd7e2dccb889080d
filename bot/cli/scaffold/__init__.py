"""Writes a plugin package to start from."""
