"""`python -m gpt4lab` is the command `gpt4lab`."""

from gpt4lab.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
