"""Every job of the running program, those of the interface too: listed, cancelled and moved by number."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as PathParameter

from api.schemas import MoveRequest, QueuedJob, QueueResponse
from api.security import GUARDS, ServiceOf, check_manager, manages_all
from engine.jobs.job_list import API_OWNER, ListedJob, MoveTo

router = APIRouter(tags=["queue"], dependencies=GUARDS)

JobNumber = Annotated[int, PathParameter(ge=1, le=10**9, description="A job's number in the list", examples=[1])]


@router.get("/queue", summary="Every job that runs or waits")
def queue(request: Request, service: ServiceOf) -> QueueResponse:
    """Those of the interface as well, whose files are not named to others. Numbers are no ids: they lead to no result.

    `manageable` says whether whoever asks may cancel and move: with the key where one is set, else only on the machine
    of a server that listens on loopback alone.
    """
    allowed = manages_all(request, service)
    return QueueResponse(manageable=allowed, jobs=[_line(job, allowed) for job in service.job_list.jobs()])


def _line(job: ListedJob, with_name: bool) -> QueuedJob:
    own = job.owner == API_OWNER
    return QueuedJob(
        number=job.number,
        kind=job.kind.value,
        source="api" if own else "interface",
        name=job.name if own and with_name else None,
        state=job.view.state.value,
        position=job.view.position or None,
        progress=min(1.0, max(0.0, job.view.fraction)),
        eta_seconds=job.view.eta_seconds,
        created=job.created,
        started=job.view.started,
    )


@router.delete("/queue/{number}", status_code=204, dependencies=[Depends(check_manager)], summary="Cancel any job")
def cancel(number: JobNumber, service: ServiceOf) -> Response:
    """One that runs ends after its current tile; a film keeps what is done."""
    service.job_list.cancel(number, owner=None)
    return Response(status_code=204)


@router.post(
    "/queue/{number}/move", status_code=204, dependencies=[Depends(check_manager)], summary="Move a waiting job"
)
def move(number: JobNumber, wanted: MoveRequest, service: ServiceOf) -> Response:
    """One place up or to the front of its queue; pictures, batches, films and jobs of the API have one each."""
    service.job_list.move(number, MoveTo(wanted.to), owner=None)
    return Response(status_code=204)
