"""`python -m regista` is the `regista` command."""

from regista.cli.main import main

main()
