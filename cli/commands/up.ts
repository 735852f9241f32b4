/** `berth up`: everything that is needed, then the platform, then three lines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../platform/config.ts'
import { ApiError, operatorApi } from '../api.ts'
import { buildWeb, generateClient } from '../prepare/build.ts'
import { ensurePackages, platformPackages } from '../prepare/packages.ts'
import { mustBeReachable, mustHaveRoom } from '../prepare/place.ts'
import { portHolder } from '../prepare/port-holder.ts'
import { processStart, root } from '../processes.ts'
import { CommandError, paint, say, stage } from '../say.ts'
import {
  defaultPort,
  type HomeOptions,
  homeFolder,
  isFree,
  partEnvironment,
  prepareHome,
  readSettings,
  type Settings,
  writeSettings,
} from '../settings.ts'
import {
  endLeftParts,
  type Instance,
  liveInstance,
  readInstance,
  removeInstance,
  writeInstance,
} from '../supervisor/instance.ts'
import { type Platform, supervise } from '../supervisor/supervise.ts'
import { deployWelcome, welcomeAddress } from '../welcome/deploy.ts'
import { findings, mustBeMended } from './doctor.ts'

export interface UpOptions extends HomeOptions {
  detach?: boolean
  /** The background process of --detach: everything is prepared. */
  prepared?: boolean
}

export async function up(options: UpOptions): Promise<void> {
  const home = homeFolder(options)
  if (!options.prepared) await prepare(home, options)
  if (options.detach) return detach(home, options)
  await inForeground(home, options)
}

async function prepare(home: string, options: UpOptions): Promise<void> {
  const running = liveInstance(home)
  if (running)
    throw new CommandError(
      `Berth runs already in ${home} (process ${running.pid}).\n${(running.lines ?? []).join('\n')}\nStop it with \`berth down --home ${home}\`.`,
    )
  if (process.getuid?.() !== 0)
    throw new CommandError(
      `Berth mounts and makes networks, which only root may: run it as\n  sudo ./berth up`,
    )
  const left = await endLeftParts(home)
  if (left.length > 0)
    say(`ended what an earlier, killed Berth of this home left running: ${left.join(', ')}`)
  await mustHavePort(options.port ?? readSettings(home)?.port ?? defaultPort)
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

async function mustHavePort(port: number): Promise<void> {
  if (await isFree(port, '0.0.0.0')) return
  throw new CommandError(
    `Port ${port} is taken by ${portHolder(port) ?? 'another program'}. Choose another one: \`berth up --port ${port + 1}\`.`,
  )
}

async function inForeground(home: string, options: UpOptions): Promise<void> {
  const settings = await prepareHome(home, options)
  const start = processStart(process.pid) ?? ''
  const instance: Instance = {
    pid: process.pid,
    start,
    state: 'starting',
    startedAt: new Date().toISOString(),
  }
  writeInstance(home, instance)
  let platform: Platform | null = null
  let isReady = false
  const asked = Promise.withResolvers<void>()
  let times = 0
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      times++
      asked.resolve()
      if (times === 2) {
        say('stopping at once')
        platform?.kill()
      }
    })
  try {
    const env = partEnvironment(home, settings)
    const starting = supervise({ home, settings, env }, (name, line) => {
      if (isReady) say(`${paint('cyan', name.padEnd(8))} ${line}`)
      if (platform)
        writeInstance(home, {
          ...instance,
          restarts: Object.fromEntries(platform.parts.map((part) => [part.name, part.restarts])),
        })
    })
    platform = await starting
    if (times > 0) return
    const lines = await firstApp(home, settings, env)
    isReady = true
    say('')
    for (const line of lines) say(line)
    say('')
    // Last: whoever waits for it in another process finds the lines printed.
    Object.assign(instance, { state: 'ready', lines })
    writeInstance(home, instance)
    if (!options.prepared) say(paint('dim', 'Ctrl-C stops the platform; apps run on.'))
    await asked.promise
    writeInstance(home, { ...instance, state: 'stopping' })
    say('stopping; apps run on')
  } catch (error) {
    writeInstance(home, { ...instance, state: 'failed', reason: (error as Error).message })
    throw error
  } finally {
    await platform?.stop((name) => say(paint('dim', `  stopping ${name}`)))
    if (readInstance(home)?.state !== 'failed') removeInstance(home)
  }
}

/** The welcome app, on the first start only, and what to tell the person. */
async function firstApp(home: string, settings: Settings, env: Record<string, string>): Promise<string[]> {
  const api = operatorApi(home, settings)
  if (!settings.welcomed) {
    await stage('welcome app', (note) => deployWelcome(api, home, env, note))
    writeSettings(home, { ...settings, welcomed: true })
  }
  const lines = [`Dashboard    ${loadConfig(env).publicUrl}`]
  try {
    lines.push(`Set-up link  ${(await api.post<{ url: string }>('/operator/setup-link')).url}`)
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 410)) throw error
  }
  const address = await welcomeAddress(api)
  if (address) lines.push(`Welcome app  ${address}`)
  return lines
}

/** Starts the supervisor in the background and follows it until it is ready or has failed. */
async function detach(home: string, options: UpOptions): Promise<void> {
  mkdirSync(join(home, 'logs'), { recursive: true })
  removeInstance(home)
  const path = join(home, 'logs', 'berth.log')
  const log = openSync(path, 'a', 0o600)
  let shown = statSync(path).size
  const flags = [
    ...(options.port === undefined ? [] : ['--port', String(options.port)]),
    ...(options.domain === undefined ? [] : ['--domain', options.domain]),
  ]
  const child: ChildProcess = spawn(
    process.execPath,
    [join(root, 'cli/main.ts'), 'up', '--prepared', '--home', home, ...flags],
    { cwd: root, detached: true, stdio: ['ignore', log, log] },
  )
  child.unref()
  const show = () => {
    const text = readFileSync(path).subarray(shown)
    shown += text.length
    process.stdout.write(text)
  }
  for (;;) {
    await sleep(100)
    const isReady = readInstance(home)?.state === 'ready'
    show()
    if (isReady) return
    if (child.exitCode !== null || child.signalCode !== null) {
      show()
      throw new CommandError(`Berth did not start. Its log is ${path}.`)
    }
  }
}
