"""The development stack: an AWS emulator, `chalice local`, and a runner for queue and schedule handlers."""
