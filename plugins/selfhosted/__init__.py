"""Code shared by the plugins of self-hosted systems: addresses, CA files, sessions."""
