from app.core.service import Service
from app.users.models import User
from app.users.schemas import UserCreate, UserUpdate


class UserService(Service[User, UserCreate, UserUpdate]):
    """Rules of users beyond what every entity has; those of signing in are in `app.accounts`."""
