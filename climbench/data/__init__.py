"""From files and stores to canonical xarray: readers by layout, one door, streaming, statistics and downloads."""

from __future__ import annotations

from climbench.registry import Registry

# Layouts in the order in which a place is tried against them: those with unmistakable names first, plain last.
READERS = Registry(
    "reader",
    {
        "climatebench": "climbench.data.readers.climatebench:ClimateBenchReader",
        "climatebench-models": "climbench.data.readers.climatebench_models:ClimateBenchModelsReader",
        "em-mpi": "climbench.data.readers.em_mpi:EmMpiReader",
        "climateset": "climbench.data.readers.climateset:ClimateSetReader",
        "pangeo": "climbench.data.readers.pangeo:PangeoReader",
        "cmip6-drs": "climbench.data.readers.cmip6_drs:CmipDrsReader",
        "chaosbench": "climbench.data.readers.chaosbench:ChaosBenchReader",
        "rainshift": "climbench.data.readers.rainshift:RainShiftReader",
        "arco": "climbench.data.readers.arco:ArcoReader",
        "ace": "climbench.data.readers.ace:AceReader",
        "era5": "climbench.data.readers.era5:Era5Reader",
        "weatherbench": "climbench.data.readers.weatherbench:WeatherBenchReader",
        "plain": "climbench.data.readers.plain:PlainReader",
    },
)
