"""Data and initial values in files, as CmdStan reads them: JSON and R dump."""

from pathfinder._data_files.errors import InputFileError as InputFileError
from pathfinder._data_files.errors import Location as Location
from pathfinder._data_files.errors import locate as locate
from pathfinder._data_files.file_variables import Variables as Variables
from pathfinder._data_files.json_data import parse_json as parse_json
from pathfinder._data_files.json_values import INT_MAX as INT_MAX
from pathfinder._data_files.json_values import INT_MIN as INT_MIN
from pathfinder._data_files.json_values import Array as Array
from pathfinder._data_files.json_values import Value as Value
from pathfinder._data_files.limits import Outside as Outside
from pathfinder._data_files.limits import first_outside as first_outside
from pathfinder._data_files.rdump import parse_rdump as parse_rdump
