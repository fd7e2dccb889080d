"""Loads provider plugins, builds connections and calls them safely."""
