"""Followed jobs: polling, changes, boards, threads that cannot be reached."""
