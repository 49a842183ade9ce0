"""`run_all`: tasks on several threads, with the errors of one thread."""

import _thread
import threading
import time

import pytest

from qcodec._base.threads import run_all, shared_among
from qcodec._core import sharing
from qcodec._core.interrupt import Stopped, check


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.enumerate()
    yield
    assert threading.enumerate() == before


def spin():
    """Work without end, until it is stopped."""
    while True:
        check()
        time.sleep(0.001)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_every_task_runs_once(threads, count):
    found = []
    run_all((lambda number=number: found.append(number) for number in range(count)), threads)
    assert sorted(found) == list(range(count))


def test_as_many_tasks_run_at_once_as_there_are_threads():
    barrier = threading.Barrier(3)

    def meet():
        barrier.wait(60)

    run_all([meet] * 6, 3)  # the calling thread is one of them


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_error_is_that_of_the_first_task_that_fails(threads):
    def fail(number):
        time.sleep(0.02 if number == 2 else 0)  # the first of them fails last
        raise ValueError(f"task {number}")

    tasks = [lambda: None, lambda: None, *(lambda n=n: fail(n) for n in range(2, 10))]
    with pytest.raises(ValueError, match="task 2"):
        run_all(tasks, threads)


@pytest.mark.parametrize("threads", [1, 3])
def test_after_an_error_no_further_task_is_begun(threads):
    begun = []

    def task(number):
        begun.append(number)
        if number == 0:
            raise ValueError("this one")
        time.sleep(0.02)

    with pytest.raises(ValueError, match="this one"):
        run_all((lambda number=number: task(number) for number in range(100)), threads)
    assert len(begun) <= threads


@pytest.mark.parametrize("threads", [1, 3])
def test_tasks_are_made_when_a_thread_is_free(threads):
    made, done = [], []

    def tasks():
        for number in range(50):
            assert len(made) - len(done) < threads
            made.append(number)
            yield lambda: done.append(1)

    run_all(tasks(), threads)
    assert len(done) == 50


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_while_tasks_are_made_is_raised(threads):
    done = []

    def tasks():
        yield lambda: done.append(1)
        raise KeyError("the second one")

    with pytest.raises(KeyError, match="the second one"):
        run_all(tasks(), threads)
    assert done == [1]


@pytest.mark.parametrize("threads", [1, 4])
def test_what_a_task_returns_is_called_by_the_calling_thread(threads):
    found = []
    run_all([lambda: lambda: found.append(threading.current_thread())] * 20, threads)
    assert found == [threading.current_thread()] * 20


@pytest.mark.parametrize("threads", [1, 4])
def test_errors_of_what_tasks_return_are_in_order_too(threads):
    def rest(number):
        if number in (5, 9):
            raise ValueError(f"rest {number}")

    with pytest.raises(ValueError, match="rest 5"):
        run_all([lambda number=number: lambda: rest(number) for number in range(12)], threads)


def test_an_interrupt_of_the_calling_thread_stops_all_others():
    stopped = []

    def work():
        if threading.current_thread() is threading.main_thread():
            time.sleep(0.05)
            raise KeyboardInterrupt
        try:
            spin()
        except Stopped:
            stopped.append(1)
            raise

    with pytest.raises(KeyboardInterrupt):
        run_all([work] * 10, 4)
    assert len(stopped) == 3


def test_the_calling_thread_can_be_interrupted_while_another_makes_a_task():
    making = threading.Event()

    def wait():
        making.wait(60)

    def tasks():
        if threading.current_thread() is threading.main_thread():
            yield wait
        making.set()
        spin()

    def interrupt():
        making.wait(60)
        time.sleep(0.05)
        _thread.interrupt_main()

    timer = threading.Thread(target=interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run_all(tasks(), 3)
    timer.join()


def test_a_queue_inside_a_queue_ends_with_it():
    def outer():
        if threading.current_thread() is threading.main_thread():
            time.sleep(0.05)
            raise KeyboardInterrupt
        run_all([spin] * 3, 2)

    with pytest.raises(KeyboardInterrupt):
        run_all([outer] * 4, 2)


def test_an_exit_in_a_thread_is_not_lost():
    def leave():
        if threading.current_thread() is threading.main_thread():
            time.sleep(0.05)
        else:
            raise SystemExit(3)

    with pytest.raises(SystemExit):
        run_all([leave] * 4, 2)


# ---- the threads of C calls ----


def test_results_are_merged_in_the_order_of_the_tasks_whatever_ends_first():
    merged = []

    def work(task):
        time.sleep(0.002 * (5 - task % 5))
        return task * task

    with shared_among(3):
        sharing.threads().run(20, work, lambda task, result: merged.append((task, result)))
    assert merged == [(task, task * task) for task in range(20)]


def test_a_thread_of_a_pool_has_no_other_threads():
    found = set()
    with shared_among(3):
        sharing.threads().run(
            9,
            lambda _: (time.sleep(0.01), found.add((threading.get_ident(), sharing.threads()))),
            lambda *_: None,
        )
    assert {threads for thread, threads in found if thread != threading.get_ident()} == {None}


def test_threads_are_given_for_the_body_alone_even_if_it_fails():
    with shared_among(2):
        with shared_among(5):
            assert sharing.threads().count == 5
        with pytest.raises(ZeroDivisionError), shared_among(5):
            1 / 0  # noqa: B018
        assert sharing.threads().count == 2
        with shared_among(1):
            assert sharing.threads() is None
    assert sharing.threads() is None
