"""What a provider serves, in one schema; how model ids are read, and what is newer than what."""
