"""Notification policy of a channel: fields, evaluation, texts and statistics. No I/O."""
