/** `berth up`: everything that is needed, then the platform, then three lines. */
import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildWeb, generateClient } from '../prepare/build.ts'
import { ensurePackages, platformPackages } from '../prepare/packages.ts'
import { mustBeReachable, mustHaveRoom } from '../prepare/place.ts'
import { portHolder } from '../prepare/port-holder.ts'
import { root } from '../processes.ts'
import { CommandError, say, stampLines, withoutStamps } from '../say.ts'
import { defaultPort, type HomeOptions, homeFolder, isFree, readSettings } from '../settings.ts'
import { endLeftParts, liveInstance, readInstance } from '../supervisor/instance.ts'
import { leftPart } from '../supervisor/part-process.ts'
import { serve } from '../supervisor/serve.ts'
import { findings, mustBeMended } from './doctor.ts'

export interface UpOptions extends HomeOptions {
  detach?: boolean
  /** Its output is a log. */
  background?: boolean
  /** The background process of --detach: everything is prepared. */
  prepared?: boolean
}

export async function up(options: UpOptions): Promise<void> {
  const home = homeFolder(options)
  if (options.background) stampLines()
  if (!options.prepared) await prepare(home, options)
  if (options.detach) return detach(home, options)
  await serve(home, { ...options, inBackground: options.background })
}

/** What is asked before anything is made or installed comes first. */
async function prepare(home: string, options: UpOptions): Promise<void> {
  mustNotRun(home)
  if (process.getuid?.() !== 0)
    throw new CommandError(
      `Berth mounts and makes networks, which only root may: run it as\n  sudo ./berth up`,
    )
  // The edge goes on serving apps, and is taken over.
  const left = await endLeftParts(home, { spare: ['edge'] })
  if (left.length > 0)
    say(`ended what an earlier, killed Berth of this home left running: ${left.join(', ')}`)
  const before = readSettings(home)
  const isLeft = leftPart(home, 'edge') !== null
  const port = options.port ?? before?.port ?? defaultPort
  if (port !== before?.port || !isLeft) await mustHavePort(port, `--port ${port + 1}`)
  const httpsPort = options.httpsPort ?? before?.httpsPort ?? (port === 80 ? 443 : 0)
  if (httpsPort !== 0 && (httpsPort !== before?.httpsPort || !isLeft))
    await mustHavePort(httpsPort, `--https-port ${httpsPort + 1}`)
  mustBeReachable(home)
  mustHaveRoom(home)
  await ensurePackages(platformPackages)
  const problems = mustBeMended(await findings(home))
  if (problems.length > 0)
    throw new CommandError(
      `This host can't run Berth yet:\n${problems.map(({ what, mend }) => `  ${what}: ${mend}`).join('\n')}`,
    )
  await generateClient()
  await buildWeb()
}

function mustNotRun(home: string): void {
  const running = liveInstance(home)
  // This very process, when it begins anew.
  if (running === null || running.pid === process.pid) return
  throw new CommandError(
    `Berth runs already in ${home} (process ${running.pid}).\n${(running.lines ?? []).join('\n')}\nStop it with \`berth down --home ${home}\`.`,
  )
}

async function mustHavePort(port: number, other: string): Promise<void> {
  if (await isFree(port, '0.0.0.0')) return
  throw new CommandError(
    `Port ${port} is taken by ${portHolder(port) ?? 'another program'}. Choose another one: \`berth up ${other}\`.`,
  )
}

/** Starts the supervisor in the background and follows it until it is ready or has failed. */
async function detach(home: string, options: UpOptions): Promise<void> {
  mkdirSync(join(home, 'logs'), { recursive: true })
  const path = join(home, 'logs', 'berth.log')
  const log = openSync(path, 'a', 0o600)
  let shown = statSync(path).size
  const flags = [
    ...(options.port === undefined ? [] : ['--port', String(options.port)]),
    ...(options.httpsPort === undefined ? [] : ['--https-port', String(options.httpsPort)]),
    ...(options.domain === undefined ? [] : ['--domain', options.domain]),
    ...(options.ownHttps === undefined ? [] : [options.ownHttps ? '--own-https' : '--no-own-https']),
  ]
  const child = spawn(
    process.execPath,
    [join(root, 'cli/main.ts'), 'up', '--prepared', '--background', '--home', home, ...flags],
    { cwd: root, detached: true, stdio: ['ignore', log, log] },
  )
  child.unref()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => child.kill(name))
  const show = () => {
    const text = readFileSync(path).subarray(shown)
    shown += text.length
    process.stdout.write(withoutStamps(text.toString()))
  }
  for (;;) {
    await sleep(100)
    const instance = readInstance(home)
    const hasEnded = child.exitCode !== null || child.signalCode !== null
    show()
    if (instance?.pid === child.pid && instance?.state === 'ready') return
    if (hasEnded) throw new CommandError(`Berth did not start. Its log is ${path}.`)
  }
}
