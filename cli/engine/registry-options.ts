/** Who asks a registry, as `docker login` has it, for one command: nothing is kept. */
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import type { PullRequest } from '../../platform/model/engine-door.ts'
import { CommandError } from '../say.ts'
import type { EngineOptions } from './options.ts'

export interface RegistryOptions extends EngineOptions {
  username?: string
  passwordStdin?: boolean
}

export function withRegistryOptions(command: Command): Command {
  return command
    .option('-u, --username <name>', 'who asks the registry')
    .option('--password-stdin', 'read the password or token from standard input')
}

export async function credentialsOf(options: RegistryOptions): Promise<PullRequest['credentials']> {
  if (options.username === undefined && !options.passwordStdin) return undefined
  if (options.username === undefined || !options.passwordStdin)
    throw new CommandError(
      'Give both --username NAME and --password-stdin, with the password on standard input.',
    )
  return { username: options.username, password: (await text(process.stdin)).replace(/\r?\n$/, '') }
}
