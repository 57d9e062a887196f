"""The command line: parses, calls the library, renders. No rule of the registry lives here."""
