"""`adopt` and `eject`: taking hand-written entries over, and giving managed ones up."""
