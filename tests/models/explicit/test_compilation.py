from nextlabel.models.explicit import compilation


def test_loops_are_compiled_where_no_cache_can_be_written(monkeypatch):
    compile_, asked = compilation.njit, []

    def without_folder(**options):
        asked.append("cache" in options)
        if "cache" in options:
            raise RuntimeError("cannot cache function: no locator available")
        return compile_(**options)

    monkeypatch.setattr(compilation, "njit", without_folder)
    assert compilation.compiled(lambda number: number + 1)(2) == 3
    assert asked == [True, False]
