from apply.fixtures import hosted, shop

__all__ = ["hosted", "shop"]
