"""The lake: facts and events in Parquet files, written and read by DuckDB."""

from sojourn.adapters.lake.reading import NAMES, LakeReading, read_lake
from sojourn.adapters.lake.writing import ParquetLake, read_progress

__all__ = ["NAMES", "LakeReading", "ParquetLake", "read_lake", "read_progress"]
