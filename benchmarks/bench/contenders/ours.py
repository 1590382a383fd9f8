"""Plinth as it runs in production, with its correlation id, its log line and every check."""

from app.main import create_app

__all__ = ["create_app"]
