"""The commands, each a few lines; `regista.cli.commands` says which module holds which."""
