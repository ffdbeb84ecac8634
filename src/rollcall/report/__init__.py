"""All that a person or a program sees: tables, JSON, Markdown, errors. The only place that prints.

stdout is the result, stderr the conversation. Rich is imported only for the live progress.
"""
