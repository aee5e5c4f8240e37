"""OpenCV comes whole, also to threads that ask for it at the same moment."""

import os
import subprocess
import sys

from tests.conftest import REPOSITORY
from tests.waiting import LONG

ONE_THREAD_AFTER_THE_OTHER = """
import sys, threading, time

def take():
    {statement}
    print("whole " if hasattr(cv2, "data") else "half ", end="")

threads = [threading.Thread(target=take)]
threads[0].start()
while len(threads) < 1000 and not hasattr(sys.modules.get("cv2"), "data"):
    time.sleep(0.0002)
    threads.append(threading.Thread(target=take))
    threads[-1].start()
for thread in threads:
    thread.join()
"""


def taken(statement: str) -> set[str]:
    command = [sys.executable, "-c", ONE_THREAD_AFTER_THE_OTHER.format(statement=statement)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONG, check=True)
    return set(done.stdout.split())


def test_threads_that_ask_while_another_is_at_it_get_it_whole():
    assert taken("from utils.opencv import cv2") == {"whole"}
