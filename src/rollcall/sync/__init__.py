"""The story of a run: gather, plan, apply, remember; rollback, adopt, start."""
