"""Letters: rendered by Jinja2, sent by SMTP, or shown on a developer's machine."""
