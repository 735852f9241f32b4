import { type Command, InvalidArgumentError, Option } from 'commander'
import { paint, say } from '../say.ts'

export interface EngineOptions {
  home?: string
  json?: boolean
}

/** A command that knows which installation is meant and can answer for programs. */
export function command(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--home <dir>', 'folder that holds all state (default: /var/lib/berth, or BERTH_HOME)')
    .option('--json', 'for programs')
}

/** Another name of an option that the command has, which its help does not mention. */
export function withAlias(
  command: Command,
  flags: string,
  name: string,
  read: (text: string) => unknown,
): Command {
  const alias = new Option(flags).argParser(read).hideHelp()
  return command
    .addOption(alias)
    .on(`option:${alias.name()}`, () =>
      command.setOptionValueWithSource(name, command.getOptionValue(alias.attributeName()), 'cli'),
    )
}

/** Prints a value for programs. */
export function printJson(value: unknown): void {
  say(JSON.stringify(value, null, 2))
}

/** Does the same for each name; a failure is said, the others go on, and the exit code is 1. */
export async function forEach(names: string[], work: (name: string) => Promise<string>): Promise<void> {
  for (const name of names) {
    try {
      say(await work(name))
    } catch (error) {
      process.stderr.write(`${paint('red', 'berth:')} ${error instanceof Error ? error.message : error}\n`)
      process.exitCode = 1
    }
  }
}

/** Aborts at the first Ctrl-C; the second ends the command at once. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143)
    stop.abort(new Error(`stopped by ${name}`))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await work(stop.signal)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** 512m, 1g, 1.5GiB, 1048576: as Docker reads sizes, in powers of 1,024. */
export function sizeInBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim())
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match?.[2] ?? '').toLowerCase().replace('b', ''))
  const bytes = Math.round(Number(match?.[1]) * 1_024 ** power)
  if (match === null || !Number.isSafeInteger(bytes))
    throw new InvalidArgumentError('It must be a size such as 512m or 1g.')
  return bytes
}

/** NAME=VALUE, or NAME alone for the value that this command was started with, if it was with one. */
export function variable(text: string, all: Record<string, string> = {}): Record<string, string> {
  if (text.includes('=')) return pair(text, all)
  const value = process.env[text]
  return value === undefined ? all : pair(`${text}=${value}`, all)
}

/** NAME=VALUE, or NAME alone for an empty value. */
export function pair(text: string, all: Record<string, string> = {}): Record<string, string> {
  const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(text) ?? []
  if (name === '') throw new InvalidArgumentError('It must be NAME=VALUE.')
  return { ...all, [name]: value }
}

export function collect(text: string, all: string[] = []): string[] {
  return [...all, text]
}

/** A time, how long ago it was, or seconds since 1970. */
export function moment(text: string): string {
  const isSeconds = /^\d{9,11}(\.\d{1,9})?$/.test(text)
  const at = isSeconds
    ? Number(text) * 1_000
    : isDuration(text)
      ? Date.now() - duration(text)
      : Date.parse(text)
  if (Number.isNaN(at))
    throw new InvalidArgumentError('It must be a time such as 15m or 2026-01-31T12:00:00Z.')
  return new Date(at).toISOString()
}

/** Milliseconds of 90s, 15m, 24h, 1h30m, 7d. */
export function duration(text: string): number {
  if (!isDuration(text)) throw new InvalidArgumentError('It must be a time such as 30m, 24h or 7d.')
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit as keyof typeof units], 0)
}

function isDuration(text: string): boolean {
  return /^(\d+(ms|s|m|h|d))+$/.test(text)
}
