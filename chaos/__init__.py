"""The proof that threads are not lost: the real bot, everything going wrong, and a comparison."""
