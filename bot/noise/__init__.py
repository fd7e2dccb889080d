"""How loud a channel is: what it may choose, what follows from that, and how it is said. Pure."""
