/** `berth exec`: a command or a shell in a running container of an app, by the API and a WebSocket. */
import type { OpenTerminalInput, TerminalTicket } from '../../platform/model/terminal.ts'
import { ApiError } from '../api.ts'
import { clientOf, findLogin, type LoginOptions } from '../client.ts'
import { findApp } from '../deploy/find-app.ts'
import { CommandError } from '../say.ts'
import { mustBeTerminal, notRun, terminalSize, throughTerminal } from '../terminal.ts'

interface ExecOptions extends LoginOptions {
  interactive?: boolean
  tty?: boolean
  process?: string
  replica?: number
  user?: string
  debug?: boolean
}

/** Ends with the command's exit code. Without a command it is a shell in a terminal. */
export async function exec(name: string, given: string[], options: ExecOptions): Promise<void> {
  // What follows the app is taken as it is, and so is the -- that most people write before the command.
  const argv = given[0] === '--' ? given.slice(1) : given
  const isShell = argv.length === 0
  const tty = options.tty === true || isShell
  const interactive = options.interactive === true || isShell
  if (tty && interactive) mustBeTerminal(isShell)
  const client = clientOf(findLogin(options))
  const { app } = await findApp(client, name)
  const asked: OpenTerminalInput = {
    process: options.process,
    replica: options.replica === undefined ? undefined : options.replica - 1,
    user: options.user,
    debug: options.debug === true,
    ...(isShell ? {} : { command: argv }),
    terminal: tty ? terminalSize() : null,
  }
  let ticket: TerminalTicket
  try {
    ticket = await client.post(`/apps/${app.id}/terminals`, asked)
  } catch (error) {
    if (error instanceof ApiError) throw new CommandError(error.message, { cause: error, exitCode: notRun })
    throw error
  }
  process.exitCode = await throughTerminal(client.url, ticket, { tty, interactive })
}
