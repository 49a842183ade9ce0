/*
 * Work that is done in tasks, on the threads of the caller if there are any (qc_poll).
 */
#ifndef QC_TASKS_H
#define QC_TASKS_H

#include "base/ticker.h"

/* Elements of a task that takes nanoseconds for each: so many that threads are worth it. */
#define QC_TASK_VALUES ((size_t)1 << 20)

/* How many threads may share work, at least 1. */
static inline size_t qc_threads_of(const qc_poll *poll)
{
    return poll != NULL && poll->run != NULL && poll->threads > 1 ? poll->threads : 1;
}

/* Tasks for work on `count` elements: one, or for several threads as many as it is worth. */
static inline size_t qc_task_count(const qc_poll *poll, size_t count)
{
    size_t most = count / QC_TASK_VALUES;
    return qc_threads_of(poll) == 1 || most < 2 ? 1 : most;
}

/* The same where results take long to merge: few, but so many that a thread that begins late does
   less than the others. */
static inline size_t qc_few_tasks(const qc_poll *poll, size_t count)
{
    size_t tasks = qc_task_count(poll, count), few = 2 * qc_threads_of(poll);
    return tasks < few ? tasks : few;
}

/* The first element of a task: a multiple of what kernels do at once. */
static inline size_t qc_task_start(size_t task, size_t tasks, size_t count)
{
    return task == tasks ? count : count / 64 * task / tasks * 64;
}

/* Do tasks on several threads, or one after the other in `scratch`. Nonzero: the call is to end. */
static inline int qc_run_tasks(qc_ticker *ticker, const qc_tasks *tasks, void *scratch)
{
    const qc_poll *poll = ticker->poll;
    if (tasks->count > 1 && qc_threads_of(poll) > 1) {
        ticker->stopped |= poll->run(poll->context, tasks) != 0;
        return ticker->stopped;
    }
    for (size_t i = 0; i < tasks->count && !ticker->stopped; i++) {
        if (i > 0 && qc_tick(ticker, QC_TICKER_STEPS)) /* tasks may be too short to ask */
            break;
        ticker->stopped |= tasks->run(tasks->argument, i, scratch, poll);
        if (!ticker->stopped && tasks->merge != NULL)
            tasks->merge(tasks->argument, i, scratch);
    }
    return ticker->stopped;
}

#endif /* QC_TASKS_H */
