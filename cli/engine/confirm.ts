import { createInterface } from 'node:readline/promises'
import { CommandError } from '../say.ts'

/** Throws when there is no terminal: what removes something asks somebody first, or is told `--force`. */
export function mustBeTerminal(): void {
  if (!process.stdin.isTTY)
    throw new CommandError('Give -f to remove without a question: there is no terminal to ask on.')
}

/** Asks on the terminal. Ctrl-D and Ctrl-C are a no, and so is everything but y and yes. */
export async function isSure(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  lines.once('close', () => resolve(''))
  const answer = await Promise.race([lines.question(`${question} [y/N] `), ended])
  lines.close()
  return /^y(es)?$/i.test(answer.trim())
}
