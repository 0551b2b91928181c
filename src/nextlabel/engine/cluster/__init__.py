"""Parts of the executor on a Dask cluster; `distributed` is imported inside functions."""
