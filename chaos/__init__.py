"""Delivery proof: runs the real bot under faults, and compares its threads with the jobs."""
