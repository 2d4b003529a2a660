"""What is outside and is not AWS: the time, random numbers, signals, the log."""
