"""Image files, tables and the conversion behind `data_utils`."""
