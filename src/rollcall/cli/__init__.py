"""The command line: parse, call, report, exit. No logic lives here."""
