/** One more process in a container. */

import type { Readable, Writable } from 'node:stream'
import type { TerminalSize } from '../sys/terminal.ts'

export interface ContainerExec {
  /**
   * Starts one more process in a container that runs. The signal ends exactly that process, at any time. The engine's
   * own end ends it too.
   */
  exec(idOrName: string, spec: ExecSpec, options?: { signal?: AbortSignal }): Promise<ExecProcess>
}

export interface ExecSpec {
  /** Throws invalid when there is no such program. */
  command: string[]
  /** Added to the container's environment. */
  environment?: Record<string, string>
  /** Name or number, with `:group` or without; default: the container's own. */
  user?: string
  workingDir?: string
  /** Without it standard input has ended. */
  input?: boolean
  /** Output and errors are one stream then, and there is input. */
  terminal?: TerminalSize
  /** Without a terminal: what it may write before somebody reads it, as far as the kernel gives that. Default 64 KiB. */
  aheadBytes?: number
}

export interface ExecProcess {
  /** Null without input. Its end is the end of the process's input. */
  input: Writable | null
  output: Readable
  /** Null with a terminal. */
  errors: Readable | null
  /** Throws failed-precondition without a terminal. */
  resize(size: TerminalSize): void
  kill(killSignal?: string): void
  /** Its exit code, 128 + signal if one ended it; both streams may have more to read then. */
  exited: Promise<number>
}
