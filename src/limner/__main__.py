"""`python -m limner`, and what `accelerate launch -m limner train ...` starts on every GPU."""

from limner.cli.main import main

main()
