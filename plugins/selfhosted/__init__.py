"""What the systems that companies host themselves share: addresses, CA files, sessions."""
