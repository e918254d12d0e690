"""`python -m tile38py` is the server."""

from tile38py.cli.server import main

main()
