"""The only writer: config.yaml, its backups, the lock, the state of each config."""
