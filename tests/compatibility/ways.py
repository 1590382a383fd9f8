"""Which way the routes of an application go."""

from app.main import Application

FASTAPIS_OWN = ("/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc")
VERBS = {"takes", "streams", "has", "is", "comes"}


def ways(app: Application) -> dict[str, list[str]]:
    """By method and path, what keeps the route from the fast way: nothing, if it goes that way."""
    return {
        f"{'|'.join(sorted(each.route.methods))} {each.path}": sorted(
            {_without_names(obstacle) for obstacle in each.obstacles}
        )
        for each in app.operations()
        if each.path not in FASTAPIS_OWN
    }


def _without_names(obstacle: str) -> str:
    """An obstacle without the function, the class or the path that it is about."""
    subject, _, rest = obstacle.partition(" ")
    said = obstacle if subject in VERBS else rest
    return said.partition(",")[0] if "after" not in said else "comes after a path of any length"
