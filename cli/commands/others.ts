/** down, status, logs and token. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../platform/config.ts'
import type { App, Page, Team } from '../../platform/model/resources.ts'
import { operatorApi } from '../api.ts'
import { processStart, processTree } from '../processes.ts'
import { CommandError, paint, say, stage } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings, partEnvironment } from '../settings.ts'
import { endLeftParts, liveInstance, removeInstance } from '../supervisor/instance.ts'

const partNames = ['postgres', 'redis', 'registry', 'worker', 'web', 'edge']
const stopWithinMs = 90_000

export async function down(options: HomeOptions & { apps?: boolean }): Promise<void> {
  const home = homeFolder(options)
  const settings = mustHaveSettings(home)
  const instance = liveInstance(home)
  if (!instance) {
    const left = await endLeftParts(home)
    removeInstance(home)
    say(
      left.length > 0
        ? `ended what a killed Berth left running: ${left.join(', ')}`
        : 'Berth does not run here.',
    )
    if (options.apps)
      throw new CommandError(
        'Apps are stopped by the platform: start it with `berth up`, then `berth down --apps`.',
      )
    return
  }
  if (options.apps) await stage('stopping apps', (note) => stopApps(operatorApi(home, settings), note))
  await stage('stopping the platform', async (note) => {
    process.kill(instance.pid, 'SIGTERM')
    const deadline = Date.now() + stopWithinMs
    while (processStart(instance.pid) === instance.start) {
      if (Date.now() > deadline)
        throw new CommandError(`It did not stop within ${stopWithinMs / 1_000} s: see \`berth logs\`.`)
      note('waiting')
      await sleep(50)
    }
  })
}

async function stopApps(api: ReturnType<typeof operatorApi>, note: (text: string) => void): Promise<void> {
  const apps = await allApps(api)
  for (const app of apps.filter(({ desiredState }) => desiredState === 'running')) {
    note(app.name)
    await api.post(`/apps/${app.id}/stop`)
  }
  const deadline = Date.now() + stopWithinMs
  while ((await allApps(api)).some((app) => app.containers.some(({ state }) => state === 'running'))) {
    if (Date.now() > deadline) throw new CommandError('Some apps did not stop in time: see the dashboard.')
    await sleep(100)
  }
}

async function allApps(api: ReturnType<typeof operatorApi>): Promise<App[]> {
  const teams = await everything<Team>(api, '/teams')
  return (await Promise.all(teams.map(({ id }) => everything<App>(api, `/teams/${id}/apps`)))).flat()
}

async function everything<T>(api: ReturnType<typeof operatorApi>, path: string): Promise<T[]> {
  const all: T[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page<T> = await api.get(
      `${path}?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
    )
    all.push(...page.data)
    cursor = page.nextCursor
  }
  return all
}

export async function status(options: HomeOptions & { json?: boolean }): Promise<void> {
  const home = homeFolder(options)
  const settings = mustHaveSettings(home)
  const instance = liveInstance(home)
  const parts = instance ? listParts(home, instance.pid) : []
  const sum = parts.reduce((total, { memoryBytes }) => total + memoryBytes, 0)
  if (options.json) {
    say(
      JSON.stringify(
        {
          home,
          running: instance !== null,
          state: instance?.state ?? 'stopped',
          port: settings.port,
          parts,
          memoryBytes: sum,
        },
        null,
        2,
      ),
    )
    return
  }
  if (!instance) throw new CommandError(`Berth does not run in ${home}: start it with \`berth up\`.`)
  say(
    `${loadConfig(partEnvironment(home, settings)).publicUrl}   ${instance.state} since ${instance.startedAt}`,
  )
  for (const { name, pid, memoryBytes } of parts) {
    const restarts = instance.restarts?.[name] ?? 0
    const mark = pid === null ? paint('red', '✗') : paint('green', '✓')
    say(
      `${mark} ${name.padEnd(10)} ${String(pid ?? 'not running').padEnd(12)} ${mebibytes(memoryBytes).padStart(9)}${restarts ? `  restarted ${restarts} times` : ''}`,
    )
  }
  say(`  ${'sum'.padEnd(10)} ${''.padEnd(12)} ${mebibytes(sum).padStart(9)}`)
}

interface PartStatus {
  name: string
  pid: number | null
  memoryBytes: number
}

function listParts(home: string, supervisor: number): PartStatus[] {
  const pidOf = (name: string): number | null => {
    const [pid, start] = read(join(home, 'run', `${name}.pid`))
      .trim()
      .split(' ')
    return pid && processStart(Number(pid)) === start ? Number(pid) : null
  }
  return [
    { name: 'berth', pid: supervisor, memoryBytes: memoryOf('berth', supervisor) },
    ...partNames.map((name) => {
      const pid = pidOf(name)
      return { name, pid, memoryBytes: pid === null ? 0 : memoryOf(name, pid) }
    }),
  ]
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

/** The supervisor's tree holds all parts: its own memory is that of its process alone. */
function memoryOf(name: string, pid: number): number {
  if (name !== 'berth') return processTree(pid).pssBytes
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1_024
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export async function logs(
  part: string | undefined,
  options: HomeOptions & { follow?: boolean; lines?: number },
): Promise<void> {
  const home = homeFolder(options)
  mustHaveSettings(home)
  const known = ['berth', ...partNames]
  if (part !== undefined && !known.includes(part))
    throw new CommandError(`There is no part ${JSON.stringify(part)}. Parts are ${known.join(', ')}.`)
  const names = part === undefined ? known : [part]
  const files = names
    .map((name) => ({ name, path: join(home, 'logs', `${name}.log`) }))
    .filter(({ path }) => existsSync(path))
  const show = (name: string, text: string) => {
    for (const line of text.split('\n'))
      if (line !== '') say(part === undefined ? `${name.padEnd(9)} ${line}` : line)
  }
  for (const { name, path } of files)
    show(
      name,
      read(path)
        .split('\n')
        .slice(-(options.lines ?? 100) - 1)
        .join('\n'),
    )
  if (!options.follow) return
  const offsets = new Map(files.map(({ path }) => [path, statSync(path).size]))
  for (;;) {
    await sleep(250)
    for (const { name, path } of files) {
      const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
      const from = Math.min(offsets.get(path) ?? 0, bytes.length)
      show(name, bytes.subarray(from).toString())
      offsets.set(path, bytes.length)
    }
  }
}

export async function createToken(
  options: HomeOptions & { email?: string; team?: string; name: string },
): Promise<void> {
  const home = homeFolder(options)
  const { email, team, name } = options
  if ((email === undefined) === (team === undefined))
    throw new CommandError('Say whose token it is: --email ADDRESS for a person, or --team SLUG for a team.')
  const api = operatorApi(home, mustHaveSettings(home))
  const token = await api.post<{ secret: string }>('/operator/tokens', {
    ...(email ? { email } : { team }),
    name,
  })
  say(token.secret)
}
