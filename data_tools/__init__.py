"""Image files, tables, the cache and the conversion behind `data_utils`."""
