"""Every figure that the README quotes, each measured beside a baseline in the same run."""
