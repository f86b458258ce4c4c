"""``climbench data``: what data there is; pull, make, check and convert it; its statistics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.markup import escape

from climbench.cli import console, options
from climbench.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import xarray as xr

    from climbench.cards import DatasetCard, Source
    from climbench.data.readers.base import Reader
    from climbench.data.selection import Selection
    from climbench.grids import WeightKind

app = typer.Typer(help="Pull, make, check and convert data, and take its statistics.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of a data set; climbench data list.")]
Target = Annotated[str, typer.Argument(help="Name of a data set, or the path or URL of a file, folder or store.")]
ReaderName = Annotated[str | None, typer.Option("--reader", help="Layout of the place; recognised without.")]
CardFile = Annotated[
    Path | None, typer.Option("--card", help="Card file that declares units and what files leave open.")
]
Part = Annotated[
    str | None, typer.Option("--part", help="Part of a place that has several; climbench data show PLACE.")
]
Variables = Annotated[str | None, typer.Option("--variables", metavar="A,B", help="Only these variables.")]
Years = Annotated[str | None, typer.Option("--years", metavar="FIRST:LAST", help="Years or dates, inclusive.")]
Levels = Annotated[str | None, typer.Option("--levels", metavar="500,850", help="Only these levels in hPa.")]
Latitude = Annotated[str | None, typer.Option("--latitude", metavar="SOUTH:NORTH", help="Only these latitudes.")]
Longitude = Annotated[str | None, typer.Option("--longitude", metavar="WEST:EAST", help="Only these longitudes.")]
Grid = Annotated[str | None, typer.Option("--grid", metavar="64x32", help="Regrid conservatively to columns x rows.")]
Sizes = Annotated[list[str] | None, typer.Option(metavar="DIM=N", help="Size along a dimension. Repeatable.")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", metavar="tcp://HOST:PORT", help="dask cluster to work on, or threads; own processes without."
    ),
]


@app.command("list")
def list_(include: options.Include = None, json: options.Json = False) -> None:
    """List the data sets and where each is on this machine."""
    from climbench.cards import DatasetCard, list_cards
    from climbench.tasks.sources import whereabouts

    cards = [card for card in list_cards("dataset", include or ()) if isinstance(card, DatasetCard)]
    found = [(card, whereabouts(card)) for card in cards]
    if json:
        rows = [{"name": c.name, "title": c.title, "where": str(w) if w else None} for c, w in found]
        console.print_json({"datasets": rows})
        return
    for card, where in found:
        line = f"{card.name:<22}{card.title}" + (f"  ({where})" if where else "")
        console.out().print(line, highlight=False, soft_wrap=True, markup=False)


@app.command("show")
def show(target: Target, reader: ReaderName = None, card: CardFile = None, include: options.Include = None) -> None:
    """Show the parts of a place, with their variables, times and grids."""
    from climbench.data.check import describe

    opened = _reader(target, reader, card, include)
    screen = console.out()
    for part in opened.parts():
        data = opened.open(part)
        screen.print(f"{opened.describe(part)}: {describe(data)}", highlight=False, soft_wrap=True, markup=False)


@app.command("pull")
def pull(
    target: Target,
    out: Annotated[Path | None, typer.Option("--out", help="Folder or store to pull into.")] = None,
    part: Part = None,
    variables: Variables = None,
    years: Years = None,
    levels: Levels = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    grid: Grid = None,
    reader: ReaderName = None,
    card: CardFile = None,
    include: options.Include = None,
    scheduler: Scheduler = None,
) -> None:
    """Download a data set from its archive, or a slice of a remote store; goes on where it was cut off.

    Example: climbench data pull gs://bucket/era5.zarr --variables 2m_temperature --years 2019:2020 --out t2m.zarr
    """
    from climbench.cards import find_dataset

    wanted = (variables, years, levels, latitude, longitude, grid)
    known = None if _is_place(target) else find_dataset(target, include or ())
    if known is not None and known.source is not None and not any(wanted):
        _pull_archive(known, known.source, out)
        return
    if known is not None and known.world is not None:
        raise DataError(f"'{target}' has no archive to pull from. Run: climbench data make {target}")
    if out is None:
        raise DataError("A slice needs a place to go to: name a store with --out, such as --out slice.zarr.")
    _convert(target, out, part, wanted, {}, {}, reader, card, include, scheduler)


@app.command("convert")
def convert(
    target: Target,
    out: Annotated[Path, typer.Argument(help="zarr 3 store to make.")],
    part: Part = None,
    variables: Variables = None,
    years: Years = None,
    levels: Levels = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    grid: Grid = None,
    chunk: Sizes = None,
    shard: Sizes = None,
    reader: ReaderName = None,
    card: CardFile = None,
    include: options.Include = None,
    scheduler: Scheduler = None,
) -> None:
    """Write any layout as one canonical zarr 3 store with sharding; resumable, and named when it is whole."""
    wanted = (variables, years, levels, latitude, longitude, grid)
    _convert(target, out, part, wanted, _sizes(chunk), _sizes(shard), reader, card, include, scheduler)


@app.command("make")
def make(
    dataset: Name,
    members: Annotated[int | None, typer.Option("--members", min=1, help="Members of each scenario.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The world's seed; its card's without.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to make; one in the cache without.")] = None,
) -> None:
    """Make a simulated data set."""
    from climbench.cards import find_dataset
    from climbench.tasks.sources import make_world

    with console.progress(announce_on=console.out()) as progress:
        folder = make_world(find_dataset(dataset), members=members, seed=seed, out=out, progress=progress.step)
    console.out().print(f"{dataset} (simulated) is in {folder}", highlight=False, soft_wrap=True)


@app.command("check")
def check(
    targets: Annotated[list[str], typer.Argument(help="Names of data sets, or paths or URLs. One or more.")],
    data: Annotated[Path | None, typer.Option("--data", help="Folder of a data set given by name.")] = None,
    reader: ReaderName = None,
    card: CardFile = None,
    include: options.Include = None,
) -> None:
    """Check that data is whole: files, variables, times, members, values."""
    from climbench.cards import find_dataset
    from climbench.data.check import check as check_place
    from climbench.tasks.sources import check_dataset

    screen, wrong = console.out(), 0
    for target in targets:
        with console.progress(announce_on=screen) as progress:
            if _is_place(target):
                report = check_place(_place(target), layout=reader, card=_card(card), progress=progress.step)
            else:
                report = check_dataset(find_dataset(target, include or ()), data, progress.step)
        for line in report.lines:
            screen.print(escape(line), highlight=False, soft_wrap=True)
        for note in report.notes:
            screen.print(f"- {escape(note)}", style="dim", highlight=False, soft_wrap=True)
        for problem in report.problems:
            console.fail(problem)
        wrong += len(report.problems)
    if wrong:
        raise typer.Exit(2)


@app.command("stats")
def stats(
    target: Target,
    out: Annotated[Path, typer.Option("--out", help="File to write the statistics to.")],
    years: Annotated[str, typer.Option("--years", metavar="FIRST:LAST", help="Training years or dates, inclusive.")],
    part: Part = None,
    variables: Variables = None,
    weights: Annotated[str | None, typer.Option("--weights", help="cell_area or cos_latitude; none without.")] = None,
    reader: ReaderName = None,
    card: CardFile = None,
    include: options.Include = None,
    scheduler: Scheduler = None,
) -> None:
    """Take means, standard deviations and those of one-step differences, from training years only."""
    from climbench.cluster import cluster
    from climbench.data.splits import Split
    from climbench.data.statistics import Statistics

    names = _names(variables)
    with cluster(scheduler):
        data = _open(target, part, names, reader, card, include)
        split = Split(_data_name(target, data), (_range(years, "--years"),))
        kind = cast("WeightKind | None", weights)  # of any text: another is refused with those that there are
        statistics = Statistics.compute(data, split, variables=names or None, weights=kind)
    statistics.save(out)
    console.out().print(f"The statistics of {split.describe()} are in {out}.", highlight=False, soft_wrap=True)


@app.command("climatology")
def climatology(
    target: Target,
    out: Annotated[Path, typer.Argument(help="zarr store to make.")],
    years: Annotated[str, typer.Option("--years", metavar="FIRST:LAST", help="Years or dates to make it from.")],
    part: Part = None,
    variables: Variables = None,
    levels: Levels = None,
    grid: Grid = None,
    statistics: Annotated[
        str, typer.Option("--statistics", metavar="mean,seeps", help="Some of mean, std, quantile and seeps.")
    ] = "mean",
    window: Annotated[int, typer.Option("--window", metavar="DAYS", help="Days about each day of the year.")] = 61,
    reader: ReaderName = None,
    card: CardFile = None,
    include: options.Include = None,
) -> None:
    """Make a climatology by hour and day of the year, as WeatherBench does, to score forecasts of other years with.

    Example: climbench data climatology era5.zarr climatology.zarr --years 1990:2019 --variables 2m_temperature
    """
    from climbench.data.climatology_store import write_climatology

    selection = _selection(variables, years, levels, None, None, grid)
    series = selection.apply(_open(target, part, selection.variables, reader, card, include))
    write_climatology(series, out, statistics=_names(statistics), window=window)
    console.out().print(f"The climatology of {years} is in {out}.", highlight=False, soft_wrap=True, markup=False)


def _convert(
    target: str,
    out: Path,
    part: str | None,
    wanted: tuple[str | None, ...],
    chunks: dict[str, int],
    shards: dict[str, int],
    reader: str | None,
    card: Path | None,
    include: list[Path] | None,
    scheduler: str | None,
) -> None:
    from climbench.cluster import cluster
    from climbench.data.convert import convert as convert_data
    from climbench.records import fingerprint

    selection = _selection(*wanted)
    with cluster(scheduler):
        data = selection.apply(_open(target, part, selection.variables, reader, card, include))
        identity = fingerprint([target, part, selection.__dict__, chunks, shards, _shape(data)])
        with console.transfer() as progress:
            convert_data(data, out, identity=identity, chunks=chunks, shards=shards, progress=progress)
    console.out().print(f"{target} is in {out}.", highlight=False, soft_wrap=True, markup=False)


def _selection(
    variables: str | None,
    years: str | None,
    levels: str | None,
    latitude: str | None,
    longitude: str | None,
    grid: str | None,
) -> Selection:
    from climbench.data.selection import Selection

    try:
        numbers = tuple(int(level) for level in _names(levels))
    except ValueError:
        raise DataError(f"--levels wants pressures in hPa, such as 500,850, not {levels}.") from None
    period = None if years is None else _range(years, "--years")
    box = (_degrees(latitude, "--latitude"), _degrees(longitude, "--longitude"))
    return Selection(_names(variables), period, numbers, *box, grid or "")


def _degrees(text: str | None, option: str) -> tuple[float, float] | None:
    if text is None:
        return None
    low, high = _range(text, option)
    try:
        return float(low), float(high)
    except ValueError:
        raise DataError(f"{option} wants two numbers of degrees, such as -30:30, not {text}.") from None


def _data_name(target: str, data: xr.Dataset) -> str:
    """Return what a split calls its data: a data set's name, or a print of a place's coordinates, whatever its path."""
    from climbench.records import fingerprint

    sizes, _, ends = _shape(data)
    return f"data-{fingerprint([sizes, ends])[:12]}" if _is_place(target) else target


def _shape(data: xr.Dataset) -> list[Any]:
    """Return what tells whether the source is still the same: sizes, names, and the ends of its coordinates."""
    ends = {str(d): [str(data[d].values[0]), str(data[d].values[-1])] for d in data.dims if d in data.coords}
    return [dict(data.sizes), sorted(map(str, data.data_vars)), ends]


def _pull_archive(card: DatasetCard, source: Source, out: Path | None) -> None:
    from climbench.data.download import pull as pull_archives
    from climbench.tasks.sources import home

    folder = out or home(card)
    with console.transfer() as progress:
        pull_archives(source.record, source.files, folder, progress=progress)
    console.out().print(f"{card.title} is in {folder}.\n{escape(card.attribution.strip())}", highlight=False)


def _is_place(target: str) -> bool:
    return "://" in target or "/" in target or Path(target).exists()


def _place(target: str) -> str | Path:
    return target if "://" in target else Path(target)


def _card(path: Path | None) -> DatasetCard | None:
    from climbench.cards import DatasetCard, read_card

    if path is None:
        return None
    card = read_card(path, "dataset")
    assert isinstance(card, DatasetCard)
    return card


def _open(
    target: str,
    part: str | None,
    variables: tuple[str, ...],
    reader: str | None,
    card: Path | None,
    include: list[Path] | None,
) -> xr.Dataset:
    """Return a part of a place or a data set, with its own chunks; the parts of a data set of stores are its stores."""
    from climbench.cards import find_dataset

    if not _is_place(target):
        known = find_dataset(target, include or ())
        if known.stores:
            names = list(known.stores)
            if (part is None and len(names) > 1) or (part is not None and part not in names):
                raise DataError(
                    f"'{target}' has several stores: name one with --part. {did_you_mean(part or '', names)}"
                )
            return _reader(known.stores[part or names[0]], known.reader, card, include).open(None, variables or None)
    return _reader(target, reader, card, include).open(part, variables or None)


def _reader(target: str, reader: str | None, card: Path | None, include: list[Path] | None) -> Reader:
    """Return the reader of a place or a data set, with its own chunks."""
    from climbench.cards import find_dataset
    from climbench.data import READERS
    from climbench.data.layouts import recognise
    from climbench.tasks.sources import open_source

    if _is_place(target):
        place = _place(target)
        found: Reader = READERS.load(reader or recognise(place))(place, _card(card), chunks={})
    else:
        found = open_source(find_dataset(target, include or ())).reader
        found.chunks = {}
    return found


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def _range(text: str, option: str) -> tuple[str, str]:
    low, sign, high = text.partition(":")
    if not sign or not low or not high:
        raise DataError(f"{option} wants two ends with a colon between them, such as 1979:2015, not {text}.")
    return low, high


def _sizes(texts: list[str] | None) -> dict[str, int]:
    sizes = {}
    for text in texts or []:
        dim, _, number = text.partition("=")
        if not number.isdigit() or int(number) < 1:
            raise DataError(f"A size is written DIM=N, such as time=50, not {text}.")
        sizes[dim] = int(number)
    return sizes
