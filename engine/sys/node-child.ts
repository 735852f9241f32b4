import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Starts one of the engine's own files in a Node process of its own, with a pipe to its standard input and messages
 * both ways. It is killed with SIGKILL when the signal fires.
 */
export function startNodeChild(file: URL, options: { signal?: AbortSignal } = {}): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file.pathname], {
    cwd: '/',
    env: { NODE_ENV: 'production', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
    killSignal: 'SIGKILL',
    ...(options.signal ? { signal: options.signal } : {}),
  })
}
