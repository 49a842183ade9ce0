"""Shares the work of a C call among threads (qc_tasks in csrc/qcodec_base.h)."""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc

from .c cimport qc_float_mode_enter, qc_float_mode_leave, qc_poll, qc_tasks
from .polling cimport Watch, begin, check_signals

from .interrupt import check
from .sharing import threads as given_threads


cdef object share(Watch *watch):
    """Let the threads that this one was given do tasks of the call; the caller keeps the result."""
    threads = given_threads()
    if threads is not None:
        watch.threads = <PyObject *>threads
        watch.poll.run, watch.poll.threads = <run_function>run_tasks, threads.count
    return threads


ctypedef int (*run_function)(void *context, const qc_tasks *tasks) noexcept nogil


cdef int run_tasks(void *context, const qc_tasks *tasks) except -1 with gil:
    """Do all tasks; an exception stays set, so that the call ends by it."""
    share_tasks(<object>(<Watch *>context).threads, tasks)
    return 0


cdef int share_tasks(threads, const qc_tasks *tasks) except -1:
    cdef _Tasks shared = _Tasks()
    shared.tasks, shared.free = tasks, []
    threads.run(tasks.count, shared.run, shared.merge)
    return 0


cdef class _Scratch:
    """The memory of one task, which another one may have after it."""

    cdef void *bytes

    def __cinit__(self, size_t size):
        self.bytes = malloc(size)
        if self.bytes == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.bytes)


cdef class _Tasks:
    """The tasks of a call, for Python's threads."""

    cdef const qc_tasks *tasks
    cdef list free

    def run(self, size_t task):
        cdef Watch watch
        cdef const qc_poll *poll = begin(&watch, check)
        cdef _Scratch scratch
        cdef uint32_t mode
        cdef int stopped
        try:
            scratch = self.free.pop()
        except IndexError:
            scratch = _Scratch(self.tasks.scratch_bytes + 1)
        with nogil:
            mode = qc_float_mode_enter()
            stopped = self.tasks.run(self.tasks.argument, task, scratch.bytes, poll)
            qc_float_mode_leave(mode)
        if stopped:
            raise_pending()
        return scratch

    def merge(self, size_t task, _Scratch scratch):
        if self.tasks.merge != NULL:
            with nogil:
                self.tasks.merge(self.tasks.argument, task, scratch.bytes)
        self.free.append(scratch)


ctypedef int (*piece_function)(
    void *argument, size_t task, void *scratch, const qc_poll *poll
) noexcept nogil


cdef int in_pieces(piece_function run, void *argument, size_t count, size_t piece) except -1:
    """Do work on `count` elements in pieces that are short, on the threads that were given."""
    cdef qc_tasks tasks
    cdef size_t task
    tasks.count, tasks.scratch_bytes = (count + piece - 1) // piece, 0
    tasks.argument, tasks.run, tasks.merge = argument, run, NULL
    threads = given_threads()
    if threads is not None and tasks.count > 1:
        share_tasks(threads, &tasks)
        return 0
    for task in range(tasks.count):
        with nogil:
            run(argument, task, NULL, NULL)
        check_signals(check)
    return 0
