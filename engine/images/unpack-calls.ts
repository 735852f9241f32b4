/**
 * The system calls that unpacking a layer needs, once its folder is the root: files, memory, threads, and the pipe to
 * who started it. No program can be started, no process looked at, no socket made, nothing mounted.
 */
import type { CallRule } from '../sys/seccomp-filter.ts'

const reading = ['read', 'readv', 'pread64', 'preadv', 'lseek', 'fcntl', 'close', 'poll', 'ppoll']
const looking = [
  ...[
    'stat',
    'lstat',
    'fstat',
    'newfstatat',
    'statx',
    'statfs',
    'fstatfs',
    'access',
    'faccessat',
    'faccessat2',
  ],
  ...['readlink', 'readlinkat', 'getdents64', 'llistxattr', 'lgetxattr', 'getcwd'],
]
const writing = [
  ...[
    'open',
    'openat',
    'write',
    'writev',
    'pwrite64',
    'pwritev',
    'ftruncate',
    'fallocate',
    'fsync',
    'fdatasync',
  ],
  ...['mkdir', 'mkdirat', 'link', 'linkat', 'symlink', 'symlinkat', 'rename', 'renameat', 'renameat2'],
  ...['unlink', 'unlinkat', 'rmdir', 'copy_file_range', 'sendfile', 'sync_file_range', 'fadvise64'],
]
const dressing = [
  ...['chmod', 'fchmod', 'fchmodat', 'chown', 'lchown', 'fchown', 'fchownat', 'lsetxattr', 'fsetxattr'],
  ...['utimensat', 'umask', 'chdir'],
]
const memory = ['mmap', 'munmap', 'mremap', 'mprotect', 'madvise', 'brk', 'membarrier']
const threads = [
  ...['futex', 'set_robust_list', 'rseq', 'sched_yield', 'sched_getaffinity', 'sched_getparam'],
  ...[
    'sched_getscheduler',
    'rt_sigaction',
    'rt_sigprocmask',
    'rt_sigreturn',
    'sigaltstack',
    'restart_syscall',
  ],
  ...['getpid', 'gettid', 'tgkill', 'getuid', 'geteuid', 'getgid', 'getegid', 'capget', 'exit', 'exit_group'],
]
const waiting = [
  ...['epoll_wait', 'epoll_pwait', 'epoll_ctl', 'eventfd2', 'nanosleep', 'clock_nanosleep'],
  // The ring by which libuv tells what it waits for was made when Node started; another one cannot be.
  'io_uring_enter',
]
const answering = ['sendmsg', 'recvmsg', 'shutdown', 'getsockname', 'getsockopt']
const asking = [
  'clock_gettime',
  'clock_getres',
  'gettimeofday',
  'getrandom',
  'getrusage',
  'sysinfo',
  'uname',
  'prlimit64',
]

const fileKind = 0o170000
const fifo = 0o010000
const characterDevice = 0o020000
const cloneThread = 0x10000
const fionbio = 0x5421

export const unpackCalls: CallRule[] = [
  ...[reading, looking, writing, dressing, memory, threads, waiting, answering, asking].flat(),
  // A thread and no process; clone3, whose flags no filter can read, does not exist, and libc does with this.
  { call: 'clone', when: [{ index: 0, value: cloneThread, mask: cloneThread }] },
  { call: 'ioctl', when: [{ index: 1, value: fionbio }] },
  ...(['mknod', 'mknodat'] as const).flatMap((call) => {
    const mode = call === 'mknod' ? 1 : 2
    return [
      { call, when: [{ index: mode, value: fifo, mask: fileKind }] },
      // A whiteout: the one device that is none.
      {
        call,
        when: [
          { index: mode, value: characterDevice, mask: fileKind },
          { index: mode + 1, value: 0 },
        ],
      },
    ]
  }),
]
