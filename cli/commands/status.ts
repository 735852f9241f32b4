/** `berth status`: the parts, their processes and their memory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../platform/config.ts'
import { processStart, processTree, startedMsAgo } from '../processes.ts'
import { CommandError, paint, say } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings, partEnvironment } from '../settings.ts'
import { type Instance, liveInstance } from '../supervisor/instance.ts'

export const partNames = ['postgres', 'redis', 'registry', 'worker', 'web', 'edge']

interface PartStatus {
  name: string
  pid: number | null
  uptimeSeconds: number
  /** Proportional set size of the process and all below it. */
  memoryBytes: number
  restarts: number
}

export async function status(options: HomeOptions & { json?: boolean }): Promise<void> {
  const home = homeFolder(options)
  const settings = mustHaveSettings(home)
  const instance = liveInstance(home)
  const parts = instance ? listParts(home, instance) : []
  const memoryBytes = parts.reduce((sum, part) => sum + part.memoryBytes, 0)
  const { publicUrl } = loadConfig(partEnvironment(home, settings))
  if (options.json) {
    const state = instance?.state ?? 'stopped'
    const all = {
      home,
      running: instance !== null,
      state,
      publicUrl,
      port: settings.port,
      parts,
      memoryBytes,
    }
    say(JSON.stringify(all, null, 2))
    return
  }
  if (!instance) throw new CommandError(`Berth does not run in ${home}: start it with \`berth up\`.`)
  say(`${publicUrl}  ${instance.state}, home ${home}`)
  for (const part of parts) {
    const mark = part.pid === null ? paint('red', '✗') : paint('green', '✓')
    const restarts = part.restarts > 0 ? `, restarted ${part.restarts}×` : ''
    const how = part.pid === null ? 'not running' : `process ${part.pid}, up ${duration(part.uptimeSeconds)}`
    say(`${mark} ${part.name.padEnd(10)} ${mebibytes(part.memoryBytes).padStart(8)}   ${how}${restarts}`)
  }
  say(`  ${'sum'.padEnd(10)} ${mebibytes(memoryBytes).padStart(8)}`)
}

function listParts(home: string, instance: Instance): PartStatus[] {
  const describe = (name: string, pid: number | null): PartStatus => ({
    name,
    pid,
    uptimeSeconds: pid === null ? 0 : Math.round(startedMsAgo(pid) / 1_000),
    memoryBytes: pid === null ? 0 : memoryOf(name, pid),
    restarts: instance.restarts?.[name] ?? 0,
  })
  return [
    describe('berth', instance.pid),
    ...partNames.map((name) => describe(name, livePid(join(home, 'run', `${name}.pid`)))),
  ]
}

function livePid(path: string): number | null {
  const [pid, start] = read(path).trim().split(' ')
  return pid && processStart(Number(pid)) === start ? Number(pid) : null
}

/** The supervisor's tree holds all parts: its own memory is that of its process alone. */
function memoryOf(name: string, pid: number): number {
  if (name !== 'berth') return processTree(pid).pssBytes
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1_024
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

/** 45 s, 12 min, 3 h 20 min, 5 d 2 h. */
export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (minutes < 1) return `${seconds} s`
  if (hours < 1) return `${minutes} min`
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
