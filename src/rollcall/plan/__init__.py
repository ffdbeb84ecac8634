"""Wanted against present: model_list, guards and holds, changes, the Plan. Pure."""
