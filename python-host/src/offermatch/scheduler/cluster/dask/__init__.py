"""The workers of a Dask cluster as servers."""
