"""policy.yaml: its schema, its conditions, and errors that name file, line and field."""
