"""The command line: commands, the demo and the plugin scaffold."""
