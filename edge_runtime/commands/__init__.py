"""The sub-commands of `fer-edge`, one file each: `run(arguments) -> exit code`."""
