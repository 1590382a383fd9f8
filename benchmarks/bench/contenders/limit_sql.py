"""The statements of the limit. What orjson cannot write comes as text."""

# ruff: noqa: S608 - put together from the constants below alone

FIND_USER = """
SELECT u.id FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.token_hash = $1 AND s.expires_at > now() AND s.last_used_at > now() - interval '7 days'
AND u.is_active AND u.deleted_at IS NULL
"""

ITEM = """
i.id::text, i.owner_id::text, i.name, i.description, i.sku, i.price::text, i.quantity, i.status,
i.created_at, i.updated_at, i.version, i.deleted_at
"""
MINE = "owner_id = $1 AND deleted_at IS NULL AND status = $2 AND quantity >= $3"
ORDER = "price DESC, id DESC"

GET = f"SELECT {ITEM} FROM items i WHERE id = $1 AND owner_id = $2 AND deleted_at IS NULL"

INSERT = f"""
INSERT INTO items AS i (id, owner_id, name, description, sku, price, quantity, status)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {ITEM}
"""

COUNT = f"SELECT count(*) FROM items WHERE {MINE}"

FIRST_PAGE = f"""
SELECT {ITEM} FROM items i WHERE {MINE} ORDER BY i.price DESC, i.id DESC LIMIT $4 OFFSET $5
"""

# The ids by an index-only scan, then the rows: what is skipped is never visited.
DEEP_PAGE = f"""
WITH page AS (SELECT id FROM items WHERE {MINE} ORDER BY {ORDER} LIMIT $4 OFFSET $5)
SELECT {ITEM} FROM page JOIN items i USING (id) ORDER BY i.price DESC, i.id DESC
"""

# A row comparison, which the index answers at any depth.
PAGE_AFTER = f"""
SELECT {ITEM} FROM items i WHERE {MINE} AND (i.price, i.id) < ($5, $6)
ORDER BY i.price DESC, i.id DESC LIMIT $4
"""
