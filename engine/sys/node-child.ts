/**
 * One of the engine's own files in a Node process of its own, for work on what strangers sent: it has an open file as
 * its standard input, messages both ways, and next to nothing else.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { sameIdsNamespace } from './user-namespace.ts'

export interface NodeChildOptions {
  /** Open file that becomes its standard input. */
  inputFd: number
  /** Its heap may not grow above this; nor all of its memory above this and a gigabyte. */
  maxHeapMegabytes: number
  /** No file that it writes may be larger. */
  maxFileBytes: number
  maxCpuSeconds: number
  /** Where compiled code is kept; it belongs to root alone. */
  codeCache: string
  signal?: AbortSignal
}

/** What root needs to make any tree of files; and what the child gives up once it has a root of its own (confine.ts). */
const capabilities = ['chown', 'dac_override', 'fowner', 'fsetid', 'setfcap', 'sys_admin', 'setuid']

/** Buffers, a zstd window, stacks; more than half of it is what Node reserves and never touches. */
const megabytesBesidesHeap = 1_024

/**
 * Starts it in a user namespace in which ids are what they are here, with mounts, processes, network and everything else
 * of its own, under limits, and without any way to new privileges. It dies with us, and when the signal fires or
 * `endNodeChild` is called; it is gone, and nothing is written any more, once `close` is told.
 */
export async function startNodeChild(file: URL, options: NodeChildOptions): Promise<ChildProcess> {
  const { inputFd, maxHeapMegabytes, signal } = options
  const namespace = await sameIdsNamespace()
  signal?.throwIfAborted()
  const [command = '', ...args] = sandboxed(namespace, options)
  const flags = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${maxHeapMegabytes}`]
  const child = spawn(command, [...args, process.execPath, ...flags, fileURLToPath(file)], {
    cwd: '/',
    env: {
      NODE_ENV: 'production',
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      NODE_COMPILE_CACHE: options.codeCache,
    },
    stdio: [inputFd, 'ignore', 'pipe', 'ipc'],
    // A process group of its own, which is what `endNodeChild` ends.
    detached: true,
  })
  const end = () => endNodeChild(child)
  signal?.addEventListener('abort', end, { once: true })
  child.once('close', () => signal?.removeEventListener('abort', end))
  return child
}

/**
 * Ends it with SIGKILL, all of its processes at once: one that was forked a moment ago has not yet asked the kernel to
 * end with the one before it, and would stay, waiting for what never comes. Source: kill(2), fork's restart in a
 * group that is signalled.
 */
export function endNodeChild(child: ChildProcess): void {
  // A number that was waited for may be somebody else's by now.
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** What stands before the command. Each program takes something away and becomes the next. */
export function sandboxed(
  namespace: number,
  limits: Pick<NodeChildOptions, 'maxFileBytes' | 'maxCpuSeconds' | 'maxHeapMegabytes'>,
): string[] {
  const { maxFileBytes, maxCpuSeconds, maxHeapMegabytes } = limits
  // Not the address space, of which Node reserves more than there is memory.
  const maxDataBytes = (maxHeapMegabytes + megabytesBesidesHeap) * 2 ** 20
  return [
    ...['nsenter', `--user=/proc/${process.pid}/fd/${namespace}`],
    ...['prlimit', `--fsize=${maxFileBytes}`, `--cpu=${maxCpuSeconds}`, `--data=${maxDataBytes}`],
    ...['--core=0', '--nofile=1024'],
    ...['setpriv', '--pdeathsig=KILL', '--no-new-privs', '--inh-caps=-all'],
    `--bounding-set=-all,${capabilities.map((name) => `+${name}`).join(',')}`,
    ...['unshare', '--mount', '--propagation=private', '--net', '--ipc', '--uts', '--pid', '--fork'],
    '--kill-child=SIGKILL',
  ]
}
