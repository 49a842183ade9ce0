# Interrupts long C calls through their qc_poll (csrc/qcodec.h). A call is made like this:
#
#     cdef Watch watch
#     cdef const qc_poll *poll = begin(&watch, check)
#     with nogil:
#         status = ..., poll, ...
#     if status == QC_INTERRUPTED:
#         raise_pending()
#
# C polls after a fixed number of steps, perhaps every few microseconds. The interpreter is asked at
# most once per twentieth of a second, because that takes its lock, which other threads may hold for
# long. Signal handlers run in the main thread only; other threads stop when their pool does
# (interrupt.py).
from cpython.object cimport PyObject

from .c cimport qc_poll

cdef extern from "Python.h":
    # Declared without `except`, so that an exception stays set until C has returned.
    int PyErr_CheckSignals()
    PyObject *PyObject_CallNoArgs(PyObject *function)
    void Py_DecRef(PyObject *object)

cdef extern from "time.h" nogil:
    ctypedef long time_t
    cdef struct timespec:
        time_t tv_sec
        long tv_nsec
    int timespec_get(timespec *time, int base)
    int TIME_UTC

cdef enum:
    INTERVAL = 50_000_000  # nanoseconds

cdef struct Watch:
    qc_poll poll
    PyObject *check  # interrupt.check; the module keeps it alive
    PyObject *threads  # the Threads that share the work of this call, if any; the caller keeps it
    timespec asked


cdef inline const qc_poll *begin(Watch *watch, check) except NULL:
    """Return the poll of one call; raises at once if this thread must stop."""
    check()
    watch.check = <PyObject *>check
    watch.poll.stop = stop
    watch.poll.context = watch
    watch.poll.run, watch.poll.threads = NULL, 1
    timespec_get(&watch.asked, TIME_UTC)
    return &watch.poll


cdef inline int stop(void *context) noexcept nogil:
    cdef Watch *watch = <Watch *>context
    cdef timespec now
    cdef long long passed
    timespec_get(&now, TIME_UTC)
    passed = (<long long>now.tv_sec - <long long>watch.asked.tv_sec) * 1_000_000_000
    passed += now.tv_nsec - watch.asked.tv_nsec
    if 0 <= passed < INTERVAL:  # below 0: the clock was set back
        return 0
    watch.asked = now
    return ask(watch.check)


cdef inline int ask(PyObject *check) noexcept with gil:
    """Return nonzero if an exception is set."""
    cdef PyObject *done
    if PyErr_CheckSignals() != 0:
        return 1
    done = PyObject_CallNoArgs(check)
    if done == NULL:
        return 1
    Py_DecRef(done)
    return 0


cdef inline int check_signals(check) except -1:
    """Raise if a long call must end; called between its pieces."""
    if PyErr_CheckSignals() != 0:
        return -1
    check()
    return 0


cdef inline int raise_pending() except -1:
    """Raise the exception that `ask` left set; called after QC_INTERRUPTED."""
    return -1
