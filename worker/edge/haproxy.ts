import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { structureVariable } from './structure.ts'

/** A worker process of HAProxy: the present one, or an old one that somebody is still connected to. */
export interface HaproxyProcess {
  pid: number
  isOld: boolean
}

export interface ServerState {
  backend: string
  name: string
  address: string
  port: number
  /** Takes new requests. */
  isReady: boolean
}

export interface Haproxy {
  /** Which structure the present process was started with; null when none runs. */
  structureId(): Promise<string | null>
  /** Of the master that answered last; null before it did. */
  masterPid(): number | null
  /** The present process first. Old ones are left out, and `onTrouble` told, when the master does not answer. */
  processes(): Promise<HaproxyProcess[]>
  /** Resolves when this structure is in force; with false when it was refused, and the process before goes on. */
  reload(structureId: string): Promise<boolean>
  servers(process: HaproxyProcess): Promise<ServerState[]>
  /** Open connections by `<backend>/<server>`. */
  connections(process: HaproxyProcess): Promise<Map<string, number>>
  /** Every `<backend>/<server>` that a request was given to, also one that is between two attempts to connect. */
  assigned(process: HaproxyProcess): Promise<Set<string>>
  hosts(process: HaproxyProcess, path: string): Promise<Map<string, string>>
  /** One command; answers what HAProxy says, which is nothing when all is well. */
  command(process: HaproxyProcess, command: string): Promise<string>
}

export interface HaproxySockets {
  /** Of the present worker process. */
  statsSocket: string
  /** Of the master process, which reaches old worker processes too. */
  masterSocket: string
}

/**
 * Speaks to HAProxy: to the present process directly, and through the master to the old ones, since one that still
 * serves a connection from before a reload must learn that it was replaced. HAProxy 2.6 management guide, 9.3, 9.4.
 *
 * One call at a time, please: a master that is asked something while it reloads may keep the connection for ever, and
 * it takes ten of them. Should that happen all the same, a signal makes it load anew, which frees them.
 */
export function haproxyAt(
  { statsSocket, masterSocket }: HaproxySockets,
  onTrouble: (error: unknown, message: string) => void,
): Haproxy {
  const master = (command: string) => exchange(masterSocket, command)
  let masterPid: number | null = null

  /** While the master starts or loads itself anew, its socket refuses or says nothing. */
  async function show(): Promise<string> {
    for (const end = Date.now() + answerTimeoutMs; ; await sleep(10)) {
      try {
        const text = await master('show proc')
        masterPid = Number(/^(\d+)\s+master/m.exec(text)?.[1] ?? 0) || masterPid
        if (text !== '' || Date.now() > end) return text
      } catch (error) {
        if (!(isAbsent(error) || codeOf(error) === 'ECONNRESET') || Date.now() > end) throw error
      }
    }
  }

  const structureId: Haproxy['structureId'] = async () => {
    const text = await exchange(statsSocket, `show env ${structureVariable}`).catch((error) => {
      if (isAbsent(error)) return null
      throw error
    })
    if (text === null) return null
    return new RegExp(`^${structureVariable}=(\\S+)$`, 'm').exec(text)?.[1] ?? 'unknown'
  }

  const command: Haproxy['command'] = (process, text) =>
    process.isOld ? master(`@!${process.pid} ${text}`) : exchange(statsSocket, text)

  async function beginReload(): Promise<number> {
    try {
      const { count } = parseReloads(await show())
      await master('reload').catch((error) => {
        // A master that executes itself anew breaks off whatever is open.
        if (codeOf(error) !== 'ECONNRESET') throw error
      })
      return count
    } catch (error) {
      if (masterPid === null || !awaitsSignals(masterPid, masterSocket)) throw error
      onTrouble(error, "HAProxy's master does not answer; a signal tells it to load anew")
      process.kill(masterPid, 'SIGUSR2')
      return -1
    }
  }

  return {
    structureId,
    command,
    masterPid: () => masterPid,
    async processes() {
      try {
        return parseProcesses(await show())
      } catch (error) {
        onTrouble(error, "HAProxy's master does not answer; old processes are not told of changes")
        return [{ pid: 0, isOld: false }]
      }
    },
    async reload(wanted) {
      const before = await beginReload()
      const end = Date.now() + reloadTimeoutMs
      while (Date.now() < end) {
        // The new process may serve before the master is back: what the master is told until then is lost.
        const now = parseReloads(await show().catch(() => ''))
        if (now.count > before && now.failed) return false
        if (now.count > before && (await structureId().catch(() => null)) === wanted) return true
        await sleep(5)
      }
      throw new Error('HAProxy was told to reload, and had not after ten seconds.')
    },
    async servers(process) {
      return parseServers(await command(process, 'show servers state'))
    },
    async connections(process) {
      const rows = (await command(process, 'show servers conn')).split('\n').map((line) => line.split(' '))
      return new Map(
        rows.flatMap(([name, , , , , , used]) =>
          name?.includes('/') && used !== undefined ? [[name, Number(used)]] : [],
        ),
      )
    },
    async assigned(process) {
      return parseAssigned(await command(process, 'show sess'))
    },
    async hosts(process, path) {
      const lines = (await command(process, `show map ${path}`)).split('\n').map((line) => line.split(' '))
      return new Map(lines.flatMap(([, key, value]) => (key && value ? [[key, value]] : [])))
    },
  }
}

/**
 * Whether this is the master, and has begun to wait for signals: one would end it before. It says its pid as it sees it
 * itself: where HAProxy has process ids of its own, that is somebody else here.
 */
function awaitsSignals(pid: number, masterSocket: string): boolean {
  try {
    const isMaster = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(masterSocket)
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return isMaster && (BigInt(`0x${caught ?? 0}`) & (1n << BigInt(constants.signals.SIGUSR2 - 1))) !== 0n
  } catch {
    return false
  }
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ECONNREFUSED'
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null
}

/** Of `show proc`: how often the master has reloaded, and whether the last time failed. */
export function parseReloads(text: string): { count: number; failed: boolean } {
  const [, count = '-1', failures = '0'] = /^\d+\s+master\s+(\d+) \[failed: (\d+)\]/m.exec(text) ?? []
  return { count: Number(count), failed: failures !== '0' }
}

const reloadTimeoutMs = 10_000
const answerTimeoutMs = 3_000

/** One connection for one command: the end of the answer is the end of the connection. */
async function exchange(path: string, command: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(path)
  const chunks: Buffer[] = []
  socket.setTimeout(answerTimeoutMs, () =>
    socket.destroy(new Error(`HAProxy did not answer to "${command}".`)),
  )
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', reject)
  socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
  socket.end(`${command}\n`)
  return (await promise).trim()
}

/** Of `show proc`: workers first, then, below a heading of their own, those that were replaced. */
export function parseProcesses(text: string): HaproxyProcess[] {
  const processes: HaproxyProcess[] = []
  let isOld = false
  for (const line of text.split('\n')) {
    if (line.startsWith('# old workers')) isOld = true
    const [pid, type] = line.split(/\s+/)
    if (type === 'worker') processes.push({ pid: Number(pid), isOld })
  }
  return processes
}

/** Of `show sess`: requests of all clients, each with the server that it was given to. */
export function parseAssigned(text: string): Set<string> {
  const lines = text.matchAll(/^0x\w+: .* be=(\S+) srv=(\S+) /gm)
  return new Set([...lines].map(([, backend, server]) => `${backend}/${server}`))
}

/** Of `show servers state`: a version, a heading with the columns' names, a line for each server. */
export function parseServers(text: string): ServerState[] {
  const [, heading = '', ...lines] = text.split('\n')
  const columns = heading.replace(/^# /, '').split(' ')
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const cells = line.split(' ')
      const cell = (name: string) => cells[columns.indexOf(name)] ?? ''
      return {
        backend: cell('be_name'),
        name: cell('srv_name'),
        address: cell('srv_addr'),
        port: Number(cell('srv_port')),
        // Any bit: forced into maintenance (1) or drain (8), or by inheritance.
        isReady: Number(cell('srv_admin_state')) === 0,
      }
    })
}
