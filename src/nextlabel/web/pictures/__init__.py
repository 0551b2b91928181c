"""Pictures that the page shows: of files of the project, small or at full size."""
