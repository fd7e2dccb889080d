"""Notifications: policy evaluation, deferral, digests, explanations and channel settings."""
