from pathlib import Path
from types import ModuleType

import pytest

from app.config import SettingsError
from app.core import registry


def test_a_folder_that_is_no_package_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = ModuleType("place")
    place.__path__ = [str(tmp_path)]
    monkeypatch.setattr(registry, "PLACES", [place])
    (tmp_path / "reports").mkdir()
    assert [*registry.modules("router")] == []
    (tmp_path / "reports" / "router.py").touch()
    with pytest.raises(SettingsError, match=r"reports has a router\.py and no __init__\.py"):
        [*registry.modules("router")]
