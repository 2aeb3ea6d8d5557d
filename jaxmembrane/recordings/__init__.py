"""Recorded data of cells, read from tables as the targets and conditions of a fit."""

from .read import Recordings as Recordings
from .read import read_recordings as read_recordings
from .sheet import RecordingsError as RecordingsError
