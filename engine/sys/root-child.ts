import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface RootChildOptions {
  /** Its heap may not grow above this. */
  maxHeapMegabytes: number
  signal?: AbortSignal
}

/**
 * Starts one of the engine's own files in a Node process of its own, as the host's root, which alone may read overlayfs's
 * own attributes, with mounts of its own. Its standard output is a pipe, and it can be sent messages. It ends when we do, and with SIGKILL when
 * the signal fires.
 */
export function startRootChild(file: URL, { maxHeapMegabytes, signal }: RootChildOptions): ChildProcess {
  const flags = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${maxHeapMegabytes}`]
  const ownMounts = ['--mount', '--propagation=private']
  return spawn('unshare', [...ownMounts, process.execPath, ...flags, fileURLToPath(file)], {
    cwd: '/',
    env: { NODE_ENV: 'production', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    killSignal: 'SIGKILL',
    ...(signal ? { signal } : {}),
  })
}
