"""python -m smtpdoc."""

from smtpdoc.cli.main import main

main()
