import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../platform/log.ts'
import type { DesiredRoute } from '../../platform/worker/desired-routes.ts'
import {
  certificateChanges,
  certificateFile,
  certificateListPath,
  certificatePath,
  type EdgeCertificates,
  largestCommandBytes,
  noCertificates,
  parseCertificateLines,
} from './certificates.ts'
import { changesTo, deletableServers, mapChanges } from './changes.ts'
import { countedPath, openTable, parseOpenRequests } from './counted.ts'
import {
  readConfiguration,
  removeCertificates,
  writeCertificates,
  writeConfiguration,
  writePlan,
} from './files.ts'
import { type Haproxy, type HaproxyProcess, haproxyAt } from './haproxy.ts'
import { type EdgePlan, planEdge } from './plan.ts'
import { redirectsPath, strippedPath, transportPath } from './routes.ts'
import type { EdgeSettings } from './settings.ts'
import { handoverKey, handoverPath, hostsPath } from './structure.ts'

/**
 * The edge of this host: HAProxy's files and the running HAProxy, both brought to the desired routes. The files always
 * say the whole state, so it makes no difference when HAProxy is started, or that it was.
 */
export interface Edge {
  /**
   * Reads the desired routes and makes them true; when it returns, new requests follow them. Whoever calls while
   * another sync waits its turn shares that one. Throws when HAProxy runs and refuses.
   */
  sync(): Promise<void>
  /** Resolves with true when nobody is connected to these containers, with false after `limitMs`. */
  drained(containerIds: string[], options: { limitMs: number; signal?: AbortSignal }): Promise<boolean>
  /** How many requests are under way, WebSockets included, by what they are counted for. */
  openRequests(): Promise<Map<string, number>>
}

export interface EdgeOptions {
  settings: EdgeSettings
  readRoutes: () => Promise<DesiredRoute[]>
  /** Asked where there is a port for HTTPS. */
  readCertificates?: () => Promise<EdgeCertificates>
  /** Called when another HAProxy was started than the one that was there; it has read the files. */
  onRestart?: () => void
  log: Logger
}

export function createEdge({ settings, readRoutes, readCertificates, onRestart, log }: EdgeOptions): Edge {
  const haproxy = haproxyAt(settings, (err, message) => log.warn({ err }, message))
  let last: Promise<unknown> = Promise.resolve()
  let waiting: Promise<void> | null = null
  const handedOver = new Set<number>()
  let master: number | null = null

  function noticeRestart(): void {
    const now = haproxy.masterPid()
    if (now === null || now === master) return
    const isNew = master !== null
    master = now
    if (isNew) onRestart?.()
  }

  /** Nobody else speaks to HAProxy meanwhile. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }

  async function syncNow(): Promise<void> {
    const wanted = (settings.httpsPort !== null && (await readCertificates?.())) || noCertificates
    const certificates = await writeCertificates(settings, wanted)
    const plan = planEdge(settings, await readRoutes(), certificates)
    const before = await readConfiguration(settings)
    await writePlan(settings, plan)
    const structureId = await haproxy.structureId()
    if (structureId === null) return
    const isSame = structureId === plan.structureId
    if (isSame || (await haproxy.reload(plan.structureId))) {
      const [present, ...old] = await haproxy.processes()
      noticeRestart()
      // A process that was just started has it all from the files.
      if (isSame && present !== undefined) {
        if (certificates.own !== null) await exchangeCertificates(plan, certificates, present)
        await adjust(haproxy, settings, plan, present)
      } else log.info({ apps: plan.servers.size }, 'the edge took over a new structure')
      for (const process of old) await handOver(process)
      await removeCertificates(settings, certificates)
      for (const pid of handedOver) if (!old.some((process) => process.pid === pid)) handedOver.delete(pid)
      return
    }
    // HAProxy goes on with what it has; a restart must find that too.
    if (before !== null) await writeConfiguration(settings, before)
    throw new Error('HAProxy refused the new configuration; the one before stays in force. Its log says why.')
  }

  /** Before requests follow routes that want them. What is too large for a command comes by a reload. */
  async function exchangeCertificates(
    plan: EdgePlan,
    certificates: EdgeCertificates,
    process: HaproxyProcess,
  ): Promise<void> {
    const list = certificateListPath(settings)
    const running = parseCertificateLines(await haproxy.command(process, `show ssl crt-list ${list}`))
    const known = new Set(running.map(certificateFile))
    const pems = new Map<string, string>()
    for (const certificate of certificates.others) {
      const path = certificatePath(settings, certificate)
      if (known.has(path)) continue
      const pem = await certificates.readPem(certificate)
      if (pem !== null) pems.set(path, pem)
    }
    if ([...pems.values()].some((pem) => pem.length > largestCommandBytes)) {
      if (await haproxy.reload(plan.structureId)) return
      throw new Error('HAProxy refused a certificate. Its log says why.')
    }
    for (const command of certificateChanges(list, { wanted: plan.certificates, running }, pems)) {
      const answer = await haproxy.command(process, command)
      if (
        /^(New empty|Transaction (created|updated)|Committing|Inserting|Entry .* deleted|Certificate .* deleted)/.test(
          answer,
        )
      )
        continue
      const [first = ''] = command.split('\n')
      throw new Error(`HAProxy answered "${answer}" to "${first}".`)
    }
  }

  /** It may end at any moment, which is just as well. */
  async function handOver(process: HaproxyProcess): Promise<void> {
    if (handedOver.has(process.pid)) return
    try {
      await haproxy.command(process, `add map ${handoverPath(settings)} ${handoverKey} yes`)
      handedOver.add(process.pid)
    } catch (error) {
      log.debug({ err: error, pid: process.pid }, 'a HAProxy process that was replaced does not answer')
    }
  }

  return {
    sync() {
      if (waiting !== null) return waiting
      const next = alone(() => {
        waiting = null
        return syncNow()
      })
      waiting = next
      return next
    },
    async drained(containerIds, { limitMs, signal }) {
      const end = Date.now() + limitMs
      for (let wasQuiet = false; ; ) {
        const isQuiet = !(await alone(() => anyConnection(haproxy, containerIds)))
        const isOver = Date.now() >= end
        // What was on its way to a container when traffic was moved is counted there a moment later.
        if (isQuiet && (wasQuiet || isOver)) return true
        if (isOver) return false
        wasQuiet = isQuiet
        await sleep(Math.min(isQuiet ? 50 : 100, limitMs), undefined, { signal })
      }
    },
    openRequests: () => alone(() => countOpenRequests(haproxy)),
  }
}

async function adjust(
  haproxy: Haproxy,
  settings: EdgeSettings,
  plan: EdgePlan,
  process: HaproxyProcess,
): Promise<void> {
  const path = hostsPath(settings)
  const others: string[] = []
  // What a route needs besides its backend is there before requests follow it.
  for (const [file, wanted] of [
    [redirectsPath(settings), plan.redirects],
    [strippedPath(settings), plan.stripped],
    [transportPath(settings), plan.transport],
    [countedPath(settings), plan.counted],
  ] as const)
    others.push(...mapChanges(wanted, await haproxy.hosts(process, file), file))
  const state = { servers: await haproxy.servers(process), hosts: await haproxy.hosts(process, path) }
  for (const command of [...others, ...changesTo(plan, state, path)]) {
    const answer = await haproxy.command(process, command)
    if (!isFine(answer)) throw new Error(`HAProxy answered "${answer}" to "${command}".`)
  }
  await removeServers(
    haproxy,
    process,
    deletableServers(plan, state.servers, await haproxy.connections(process)),
  )
}

/**
 * As far as nothing holds them: the rest goes with a later sync. HAProxy 2.6 itself looks at connections alone. A request
 * that waits to try a dead server again has none, and HAProxy crashes when that server is gone by then
 * (haproxy/haproxy#2298).
 */
async function removeServers(haproxy: Haproxy, process: HaproxyProcess, servers: string[]): Promise<void> {
  if (servers.length === 0) return
  // Closes connections that wait to be used again, and nobody comes to it any more.
  for (const server of servers) await haproxy.command(process, `set server ${server} state maint`)
  const assigned = await haproxy.assigned(process)
  for (const server of servers)
    if (!assigned.has(server)) await haproxy.command(process, `del server ${server}`)
}

function isFine(answer: string): boolean {
  return answer === '' || /^(New server registered|no need to change|.*changed from)/.test(answer)
}

async function anyConnection(haproxy: Haproxy, containerIds: string[]): Promise<boolean> {
  if ((await haproxy.structureId()) === null) return false
  for (const process of await haproxy.processes()) {
    const connections = haproxy.connections(process)
    // An old process that does not answer has ended.
    const open = process.isOld ? await connections.catch(() => new Map<string, number>()) : await connections
    for (const [server, count] of open)
      if (count > 0 && containerIds.some((id) => server.endsWith(`/${id}`))) return true
  }
  return false
}

async function countOpenRequests(haproxy: Haproxy): Promise<Map<string, number>> {
  const all = new Map<string, number>()
  if ((await haproxy.structureId()) === null) return all
  for (const process of await haproxy.processes()) {
    const answer = haproxy.command(process, `show table ${openTable} data.conn_cur gt 0`)
    for (const [counted, open] of parseOpenRequests(
      process.isOld ? await answer.catch(() => '') : await answer,
    ))
      all.set(counted, (all.get(counted) ?? 0) + open)
  }
  return all
}
