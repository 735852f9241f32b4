import { styleText } from 'node:util'

/** Colour on a terminal only: what a script reads is plain. */
export function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text
}

let isStamped = false

/** From now on each line begins with its time, as in the logs of the parts. */
export function stampLines(): void {
  isStamped = true
}

let isForPrograms = false

/** From now on what a person should know goes to standard error: standard output is for a program to read. */
export function keepOutputForPrograms(): void {
  isForPrograms = true
}

export function say(text: string): void {
  const time = isStamped ? `${new Date().toISOString()} ` : ''
  const stream = isForPrograms ? process.stderr : process.stdout
  stream.write(`${time}${isStamped ? text.replaceAll('\n', `\n${time}`) : text}\n`)
}

/** The lines as they were before stampLines(). */
export function withoutStamps(text: string): string {
  return text.replace(/^\d{4}-\d\d-\d\dT\S+Z ?/gm, '')
}

/** A failure that a person can act on: its message is all that is shown. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, { cause: options.cause })
    this.exitCode = options.exitCode ?? 1
  }
}

const tickEveryMs = 1_800

/** Says what begins, that it goes on, and how long it took: never silent for more than two seconds. */
export async function stage<T>(what: string, work: (note: (text: string) => void) => Promise<T>): Promise<T> {
  const startMs = Date.now()
  const seconds = () => `${((Date.now() - startMs) / 1_000).toFixed(1)} s`
  let note = ''
  say(`… ${what}`)
  const timer = setInterval(
    () => say(paint('dim', `  ${what} ${seconds()}${note ? `: ${note}` : ''}`)),
    tickEveryMs,
  )
  try {
    const result = await work((text) => {
      note = text.trim().slice(0, 100)
    })
    say(`${paint('green', '✓')} ${what} ${paint('dim', `(${seconds()})`)}`)
    return result
  } finally {
    clearInterval(timer)
  }
}
