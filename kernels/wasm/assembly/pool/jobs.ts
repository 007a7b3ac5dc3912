// Jobs of several tasks, done by threads over one memory. A job is a kernel, a pointer to its parameters and a number of tasks;
// whoever is free takes the next one. The thread that asks for a job works on it too, and goes on once all its tasks are done.
//
// The control block of a pool, 256 bytes that begin as zeros. Words that different threads write lie on cache lines of their own.
//   0  u64  number of the job << 32 | the next task
//   8  u32  tasks; 12 u32 kernel; 16 u32 address of the parameters
//  64  u32  tasks that are done
// 128  u32  a number that changes when there is work: idle threads sleep on it
// 132  u32  1 once the pool is closed
// 136  u32  threads that sleep

/** Task number of a job that is being written down: none can be taken. */
const CLOSED: u64 = 0xffffffff;
/** Looks before a thread goes to sleep, and before the asking thread sleeps for others' last tasks. */
const LOOKS: u32 = 2000;

export type Dispatch = (kernel: u32, parameters: usize, task: u32, thread: u32) => void;

/** Does tasks of the job that there is until none is left. */
function takeTasks(control: usize, thread: u32, dispatch: Dispatch): void {
  for (;;) {
    const ticket = atomic.load<u64>(control);
    const task = <u32>ticket;
    const tasks = atomic.load<u32>(control + 8);
    if (task >= tasks) return;
    const kernel = atomic.load<u32>(control + 12);
    const parameters = atomic.load<u32>(control + 16);
    // It holds only while the job is the one that was read: a job is written down between two tickets.
    if (atomic.cmpxchg<u64>(control, ticket, ticket + 1) !== ticket) continue;
    dispatch(kernel, <usize>parameters, task, thread);
    if (atomic.add<u32>(control + 64, 1) + 1 === tasks) atomic.notify(control + 64, 1);
  }
}

/** Has a job done by all threads; returns when its last task is done. @returns 0, or 1 when others' tasks take over a minute. */
export function runTasks(
  control: usize,
  kernel: u32,
  parameters: usize,
  tasks: u32,
  dispatch: Dispatch,
): u32 {
  const job = (atomic.load<u64>(control) >> 32) + 1;
  atomic.store<u64>(control, (job << 32) | CLOSED);
  atomic.store<u32>(control + 8, tasks);
  atomic.store<u32>(control + 12, kernel);
  atomic.store<u32>(control + 16, <u32>parameters);
  atomic.store<u32>(control + 64, 0);
  atomic.store<u64>(control, job << 32);
  atomic.add<u32>(control + 128, 1);
  if (atomic.load<u32>(control + 136) > 0) atomic.notify(control + 128, -1);
  takeTasks(control, 0, dispatch);
  let looks: u32 = 0;
  for (let done = atomic.load<u32>(control + 64); done !== tasks; done = atomic.load<u32>(control + 64)) {
    looks += 1;
    if (looks >= LOOKS && atomic.wait<i32>(control + 64, done, 60_000_000_000) === 2) return 1;
  }
  return 0;
}

/** The life of a thread that helps: returns once the pool is closed. */
export function serveTasks(control: usize, thread: u32, dispatch: Dispatch): void {
  while (atomic.load<u32>(control + 132) === 0) {
    const work = atomic.load<u32>(control + 128);
    takeTasks(control, thread, dispatch);
    let looks: u32 = 0;
    while (looks < LOOKS && atomic.load<u32>(control + 128) === work) looks += 1;
    if (looks < LOOKS) continue;
    atomic.add<u32>(control + 136, 1);
    atomic.wait<i32>(control + 128, work, -1);
    atomic.sub<u32>(control + 136, 1);
  }
}

/** Sends the threads home. */
export function closePool(control: usize): void {
  atomic.store<u32>(control + 132, 1);
  atomic.add<u32>(control + 128, 1);
  atomic.notify(control + 128, -1);
}
