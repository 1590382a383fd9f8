"""The API does what its OpenAPI document says: schemathesis sends what it allows, and what not.

pytest collects this file only where it is named. Schemathesis runs in an environment of its own.
"""

import asyncio
import os
import subprocess
from pathlib import Path

import httpx

from app.database.migrations import ROOT
from tests.conftest import connect, database_url
from tests.factories import PASSWORD
from tests.faults.servers import APP, serving

HERE = Path(__file__).parent
SCHEMATHESIS = ["run", "--project", str(ROOT), "--isolated", "--group", "fuzz", "schemathesis"]
# Examples for all operations together, and for each: a run takes a minute or two, however many
# entities there are.
EXAMPLES = 1200
MOST, LEAST = 50, 10


def test_the_api_does_what_its_document_says(scratch: str, tmp_path: Path) -> None:
    with serving(database_url(scratch), tmp_path, program=APP) as server:
        ids = [register(server.url, name) for name in ("alice", "bob")]  # of users.json
        asyncio.run(promote(scratch, ids[0]))
        done = subprocess.run(
            [
                os.environ.get("UV", "uv"),
                *SCHEMATHESIS,
                f"--config-file={HERE / 'schemathesis.toml'}",
                "run",
                f"--max-examples={examples(server.url)}",
                f"{server.url}/openapi.json",
            ],
            cwd=tmp_path,  # its caches stay there
            env=os.environ
            | {
                "FUZZ": str(HERE),
                "FUZZ_USERS": ",".join(ids),
                "PYTHONPATH": str(ROOT),
                "PYTHONDONTWRITEBYTECODE": "1",  # its environment is another one the next time
            },
            check=False,  # and no timeout, which would end the server under the requests
        )
    assert done.returncode == 0, (tmp_path / "server.log").read_text()[-5000:]


def examples(url: str) -> int:
    """How many each operation gets."""
    paths = httpx.get(f"{url}/openapi.json", timeout=60).json()["paths"]
    operations = sum(len(each) for each in paths.values())
    return max(min(EXAMPLES // operations, MOST), LEAST)


def register(url: str, name: str) -> str:
    body = {"email": f"{name}@example.com", "password": PASSWORD}
    response = httpx.post(f"{url}/api/v1/auth/register", json=body, timeout=60)
    return str(response.raise_for_status().json()["id"])


async def promote(database: str, user_id: str) -> None:
    connection = await connect(database)
    await connection.execute("UPDATE users SET is_superuser = true WHERE id = $1", user_id)
    await connection.close()
