"""oneform: ask the grassroots once (基层数据“一表通”)."""

__version__ = "0.1.0"
