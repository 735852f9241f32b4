import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface NodeChildOptions {
  /** Open file that becomes its standard input. */
  inputFd: number
  /** Its heap may not grow above this. */
  maxHeapMegabytes: number
  signal?: AbortSignal
}

/**
 * Starts one of the engine's own files in a Node process of its own, with an open file as its standard input and
 * messages both ways. It is killed with SIGKILL when the signal fires.
 */
export function startNodeChild(file: URL, options: NodeChildOptions): ChildProcess {
  const { inputFd, maxHeapMegabytes, signal } = options
  const flags = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${maxHeapMegabytes}`]
  return spawn(process.execPath, [...flags, fileURLToPath(file)], {
    cwd: '/',
    env: { NODE_ENV: 'production', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: [inputFd, 'ignore', 'pipe', 'ipc'],
    killSignal: 'SIGKILL',
    ...(signal ? { signal } : {}),
  })
}
