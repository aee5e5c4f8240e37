"""The one tree of errors a person can meet.

Every message says what happened, to which file, and what can be done about it. The interface shows the message,
the command line prints it and exits with ``exit_code``; the traceback goes to the log.
"""

from __future__ import annotations


class EngineError(Exception):
    """Root of every error that the engine raises on purpose."""

    exit_code = 1


class InvalidSettingsError(EngineError, ValueError):
    """A setting is out of range, or two settings contradict each other."""

    exit_code = 2


class InvalidImageError(EngineError):
    """The input is not a picture, is damaged, or is of a kind that cannot be read."""

    exit_code = 3


class DamagedImageError(InvalidImageError):
    """The input is damaged or cut off, and of a kind whose rest can be decoded where that is asked for (salvage)."""


class ImageTooLargeError(InvalidImageError):
    """The input, or the output that was asked for, is over a configured limit. Raised before any decoding."""


class InvalidVideoError(EngineError):
    """The input is not a video, is damaged, or is of a kind that cannot be read."""

    exit_code = 3


class EmptyVideoError(InvalidVideoError):
    """The file has no bytes, or a video stream without any frame."""


class TruncatedVideoError(InvalidVideoError):
    """The file ends before what is needed to read it: a download or recording that was cut off."""


class NoVideoStreamError(InvalidVideoError):
    """The file can be read but holds no moving picture: sound or subtitles only."""


class VideoTooLargeError(InvalidVideoError):
    """The input, or the output that was asked for, is over a configured limit. Raised before any frame is enhanced."""


class OutputError(EngineError):
    """The result could not be written (permission, full disk, a name that is taken). No partial file remains."""

    exit_code = 4


class ModelError(EngineError):
    """Something about a model's file; the common parent of the errors below."""

    exit_code = 5


class ModelNotFoundError(ModelError):
    """No model of that name is known, or it is known but its file is not here."""


class ModelDownloadError(ModelError):
    """A download failed; the message holds the address and how to place the file by hand."""


class ChecksumMismatchError(ModelError):
    """A file's SHA-256 or size differs from the known one; the file was set aside, not loaded."""


class UnsupportedModelError(ModelError):
    """The file is not a checkpoint that can be loaded safely, or its architecture is unknown."""


class MissingPackageError(ModelError):
    """The model needs a package that is not installed; the message names the line that installs it."""


class BackendError(EngineError):
    """A runtime could not be used on this machine (missing, or its self-test failed)."""

    exit_code = 6


class OutOfMemoryError(EngineError):
    """Even the smallest tile did not fit. The message holds advice."""

    exit_code = 7


class WorkerLostError(EngineError):
    """The process that worked on a job died, hung or was killed; ``losses`` counts how many did.

    ``for_another``: it was ended on purpose, because another job in it was cancelled or hung.
    """

    exit_code = 8

    def __init__(self, message: str, losses: int = 1, for_another: bool = False) -> None:
        super().__init__(message)
        self.losses, self.for_another = losses, for_another


class JobSetAsideError(EngineError):
    """This picture with these settings killed its worker again and again; it is not tried any more."""

    exit_code = 8


class JobNotFoundError(EngineError):
    """There is no job of that number, or it has ended."""

    exit_code = 11


class JobAccessError(EngineError):
    """The job is another person's, or whoever asks may not act on all jobs."""

    exit_code = 11


class JobNotWaitingError(EngineError):
    """The job runs already, so it has no place in a queue."""

    exit_code = 11


class ServerError(EngineError):
    """A running server could not be reached, or refused what was asked."""

    exit_code = 11


class QueueFullError(EngineError):
    """As many jobs wait as may wait; try again after ``retry_after`` seconds."""

    exit_code = 9

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServiceStoppedError(EngineError):
    """The program is shutting down; the job was not finished. A persisted queue takes it up at the next start."""

    exit_code = 9


class HistoryError(EngineError):
    """The history's database cannot be used, or holds no such run."""

    exit_code = 10


class JobCancelled(EngineError):
    """The person cancelled; nothing half-written remains."""

    exit_code = 130
