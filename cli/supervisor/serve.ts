/** Runs the platform of one home, from its first part to its last. */
import { once } from 'node:events'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { processStart, root } from '../processes.ts'
import { CommandError, paint, say } from '../say.ts'
import { type HomeOptions, partEnvironment, prepareHome } from '../settings.ts'
import { firstApp } from '../welcome/first-app.ts'
import { endLeftParts, type Instance, removeInstance, writeInstance } from './instance.ts'
import { takeLock } from './lock.ts'
import { type Platform, supervise } from './supervise.ts'

/**
 * Starts everything, prints where it is, and serves until SIGINT, SIGTERM or SIGHUP; the second one hurries. Whatever
 * goes wrong before it is ready is thrown, with everything stopped again. At SIGUSR2 it begins anew: see `beginAnew`.
 */
export async function serve(home: string, options: HomeOptions & { inBackground?: boolean }): Promise<void> {
  // Of the home and of every part: whoever starts Berth may have another one.
  process.umask(0o022)
  mkdirSync(home, { recursive: true })
  if ((await takeLock(`home ${realpathSync(home)}`)) === null)
    throw new CommandError(
      `Another process is starting, or runs, the Berth in ${home}: \`berth status --home ${home}\` says more.`,
    )
  const settings = await prepareHome(home, options)
  const env = partEnvironment(home, settings)
  const { pid } = process
  const startedAt = new Date().toISOString()
  const instance: Instance = { pid, start: processStart(pid) ?? '', state: 'starting', startedAt }
  const tell = (changes: Partial<Instance>) => writeInstance(home, Object.assign(instance, changes))
  tell({})
  let platform: Platform | null = null
  const asked = askedToStop(() => platform?.kill())
  const again = new AbortController()
  process.on('SIGUSR2', () => instance.state === 'ready' && again.abort())
  try {
    platform = await supervise(
      { home, settings, env },
      (name, line, from) => {
        // In the background nobody watches, and each part has a log of its own.
        if (instance.state === 'ready' && (from === 'supervisor' || !options.inBackground))
          say(`${paint('cyan', name.padEnd(8))} ${line}`)
        const restarts = Object.fromEntries(platform?.parts.map((part) => [part.name, part.restarts]) ?? [])
        if (JSON.stringify(restarts) !== JSON.stringify(instance.restarts ?? {})) tell({ restarts })
      },
      asked,
    )
    const lines = await unlessAborted(asked, firstApp(home, settings, env))
    say(['', ...lines, ''].join('\n'))
    // After the lines: whoever waits for it in another process finds them printed.
    tell({ state: 'ready', lines })
    if (process.stdout.isTTY) say(paint('dim', 'Ctrl-C stops the platform; apps run on.'))
    const over = AbortSignal.any([asked, again.signal])
    if (!over.aborted) await once(over, 'abort')
    say(asked.aborted ? 'the platform stops; apps run on' : 'the platform starts anew; apps are served on')
  } finally {
    tell({ state: 'stopping' })
    const onPart = (name: string) => say(paint('dim', `  stopping ${name}`))
    await platform?.stop({ onPart, leave: again.signal.aborted ? ['edge'] : [] })
    if (!again.signal.aborted || asked.aborted) removeInstance(home)
  }
  if (asked.aborted) return void (await endLeftParts(home))
  tell({ state: 'starting', lines: undefined })
  beginAnew(home, options)
}

/**
 * This process becomes `berth up` of what lies in the checkout now, so whoever waits for it (systemd, a terminal) goes
 * on doing so. The edge was left, and is taken over: no request for an app is lost meanwhile.
 */
function beginAnew(home: string, { inBackground }: { inBackground?: boolean }): void {
  if (process.execve === undefined) throw new CommandError('Berth needs the Node 24 that it brings along.')
  const flags = inBackground ? ['--background'] : []
  const file = join(root, 'berth')
  process.execve(file, [file, 'up', '--home', home, ...flags], process.env)
}

/** Fires at the first signal; the second one calls `hurry`. */
function askedToStop(hurry: () => void): AbortSignal {
  const asked = new AbortController()
  const reason = 'Berth was stopped before it was ready; what had started is stopped again.'
  // SIGHUP: the terminal was closed.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (!asked.signal.aborted) return asked.abort(new CommandError(reason))
      say('stopping at once')
      hurry()
    })
  return asked.signal
}

async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener('abort', abort))
}
