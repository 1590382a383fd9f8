from app.core.service import Service
from app.items.models import Item
from app.items.schemas import ItemCreate, ItemUpdate


class ItemService(Service[Item, ItemCreate, ItemUpdate]):
    """Rules of items beyond what every entity has go here, as overridden methods."""
