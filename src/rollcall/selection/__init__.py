"""The rules and the aliases at work: why a model is in, where an alias leads. Pure."""
