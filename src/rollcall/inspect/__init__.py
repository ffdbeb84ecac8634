"""Looking, changing nothing: inventory, explain, status, doctor, smoke."""
