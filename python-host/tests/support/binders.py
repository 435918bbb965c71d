"""Lets one Kubernetes scheduler live, and kills it with SIGKILL at its n-th request, before it is sent or once it is done.

python binders.py KUBECONFIG POINT
"""

import os
import signal
import sys
import threading

from offermatch import ReferenceMatcher
from offermatch.kubernetes.api import Api
from offermatch.kubernetes.scheduler import KubernetesScheduler


def main(kubeconfig, last):
    left, lock, request = [last], threading.Lock(), Api.request

    def point():
        with lock:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def pointed(self, *args, **named):
        point()
        answer = request(self, *args, **named)
        point()
        return answer

    Api.request = pointed
    api = Api(kubeconfig=kubeconfig)
    with KubernetesScheduler(api, ReferenceMatcher(), elect=False, interval=0.01, concurrency=4) as scheduler:
        scheduler.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
