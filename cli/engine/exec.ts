import type { Duplex } from 'node:stream'
import type { Command } from 'commander'
import {
  type ExecRequest,
  exitPayload,
  frame,
  frames,
  jsonOf,
  type TerminalSize,
} from '../../platform/model/exec-frames.ts'
import { CommandError } from '../say.ts'
import { EngineRefusal, openDoor } from './door.ts'
import { collect, command, type EngineOptions, variable } from './options.ts'
import { variablesOf } from './run-options.ts'

export function addExecCommand(engine: Command): void {
  command(engine, 'exec', 'run one more process in a container')
    .argument('<container>', 'its name')
    .argument('<command...>', 'what to run')
    .option('-i, --interactive', 'pass on standard input')
    .option('-t, --tty', 'give it a terminal')
    .option('-e, --env <name=value>', 'a variable; NAME alone takes it from here', variable)
    .option('-u, --user <name>', 'name or number, with :group or without')
    .option('-w, --workdir <path>', 'where to run it')
    .option('--env-file <file>', 'variables, NAME=VALUE a line', collect)
    .option('-d, --detach', 'leave it running; its output is dropped')
    .passThroughOptions()
    .action(execIn)
}

interface ExecOptions extends EngineOptions {
  interactive?: boolean
  tty?: boolean
  env?: Record<string, string>
  user?: string
  workdir?: string
  envFile?: string[]
  detach?: boolean
}

/** Ends with the process's exit code; 125 when it could not be started. */
export async function execIn(id: string, argv: string[], options: ExecOptions): Promise<void> {
  const { interactive = false, tty = false, user, workdir, detach = false } = options
  if (detach && (interactive || tty))
    throw new CommandError('Leave -i and -t away with -d: nobody is there to type or to read.', {
      exitCode: 125,
    })
  const env: Record<string, string> = Object.assign(
    {},
    ...(options.envFile ?? []).map(variablesOf),
    options.env,
  )
  if (tty && interactive && !process.stdin.isTTY)
    throw new CommandError('Standard input is no terminal: leave -t away.', { exitCode: 125 })
  const request: ExecRequest = {
    command: argv,
    environment: tty ? { TERM: process.env.TERM ?? 'xterm', ...env } : env,
    input: interactive,
    ...(user === undefined ? {} : { user }),
    ...(workdir === undefined ? {} : { workingDir: workdir }),
    ...(tty ? { terminal: terminalSize() } : {}),
  }
  const door = openDoor(options)
  const path = `/containers/${encodeURIComponent(id)}/exec`
  let connection: Duplex
  try {
    if (detach) return void (await door.ask('POST', path, { body: request }))
    connection = await door.exec(path, request)
  } catch (error) {
    if (error instanceof EngineRefusal) throw new CommandError(error.message, { cause: error, exitCode: 125 })
    throw error
  }
  const leave = attach(connection, { interactive, tty })
  try {
    process.exitCode = await untilExit(connection)
  } finally {
    leave()
    connection.destroy()
  }
}

function attach(
  connection: Duplex,
  { interactive, tty }: { interactive: boolean; tty: boolean },
): () => void {
  connection.on('error', () => {})
  const resize = () => connection.write(frame('resize', terminalSize()))
  if (tty) process.stdout.on('resize', resize)
  if (!interactive) return () => process.stdout.off('resize', resize)
  // Ctrl-C and all other keys are the process's.
  if (tty) process.stdin.setRawMode(true)
  process.stdin.on('data', (chunk: Buffer) => {
    if (connection.write(frame('input', chunk))) return
    process.stdin.pause()
    connection.once('drain', () => process.stdin.resume())
  })
  process.stdin.once('end', () => connection.write(frame('input-end')))
  return () => {
    process.stdout.off('resize', resize)
    if (tty) process.stdin.setRawMode(false)
    process.stdin.pause()
  }
}

async function untilExit(connection: Duplex): Promise<number> {
  for await (const { kind, payload } of frames(connection)) {
    if (kind === 'output') await write(process.stdout, payload)
    else if (kind === 'errors') await write(process.stderr, payload)
    else if (kind === 'exit') return jsonOf(exitPayload, payload).exitCode
    else if (kind === 'failure') throw new CommandError(JSON.parse(new TextDecoder().decode(payload)).message)
  }
  throw new CommandError('The worker stopped, and the process with it.')
}

async function write(out: NodeJS.WriteStream, bytes: Uint8Array): Promise<void> {
  if (!out.write(bytes)) await new Promise((resolve) => out.once('drain', resolve))
}

function terminalSize(): TerminalSize {
  return { rows: process.stdout.rows || 24, columns: process.stdout.columns || 80 }
}
