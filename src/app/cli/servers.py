"""What `app dev` and `app serve` have in common."""

from typing import Annotated, Any

import typer

from app.config import Settings, path_prefix

Prefix = Annotated[
    str | None,
    typer.Option(help="Default: ROOT_PATH.", parser=path_prefix, metavar="PATH"),
]


def protocols(settings: Settings) -> dict[str, Any]:
    return {
        "http": "app.cli.protocols.http:HttpProtocol",
        "ws": "app.cli.protocols.websockets:WebSocketProtocol",
        "ws_max_size": settings.max_message_size,
        # A compressor for each connection, and a size that tells something of what is secret.
        "ws_per_message_deflate": False,
    }
