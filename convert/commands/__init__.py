"""The sub-commands of `python -m convert`, one module each: `run(arguments) -> int`."""
