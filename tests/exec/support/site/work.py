"""A task for celery. It reports its start, waits for the file `go`, and reports its end."""

import os
import time
from pathlib import Path

from celery import Celery

SCENE = Path(os.environ["SCENE"])
QUEUE = SCENE / "queue"
QUEUE.mkdir(exist_ok=True)

app = Celery("work", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(QUEUE),
    "data_folder_out": str(QUEUE),
    "control_folder": str(SCENE / "control"),
}
app.conf.worker_hijack_root_logger = False


@app.task
def wait():
    print(f"working with {os.environ['SECRET']}", flush=True)
    (SCENE / "started").write_text("started\n")
    while not (SCENE / "go").exists():
        time.sleep(0.005)
    (SCENE / "finished").write_text("finished\n")
