"""The command line: one file per group of commands, and the only code that knows every room."""
