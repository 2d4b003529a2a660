"""What is outside and is not AWS: the time, chance, signals, the log."""
