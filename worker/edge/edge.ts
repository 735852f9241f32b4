import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../platform/log.ts'
import type { DesiredRoute } from '../../platform/worker/desired-routes.ts'
import { changesTo, deletableServers } from './changes.ts'
import { readConfiguration, writeConfiguration, writePlan } from './files.ts'
import { type Haproxy, type HaproxyProcess, haproxyAt } from './haproxy.ts'
import { type EdgePlan, planEdge } from './plan.ts'
import type { EdgeSettings } from './settings.ts'
import { hostsPath } from './structure.ts'

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
}

export interface EdgeOptions {
  settings: EdgeSettings
  readRoutes: () => Promise<DesiredRoute[]>
  log: Logger
}

export function createEdge({ settings, readRoutes, log }: EdgeOptions): Edge {
  const haproxy = haproxyAt(settings.masterSocket)
  let running: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | null = null

  async function syncNow(): Promise<void> {
    const plan = planEdge(settings, await readRoutes())
    const before = await readConfiguration(settings)
    await writePlan(settings, plan)
    const processes = await haproxy.processes()
    if (processes === null) return
    if ((await haproxy.structureId()) === plan.structureId) {
      await adjust(haproxy, settings, plan, processes, log)
      return
    }
    if (await haproxy.reload(plan.structureId)) {
      log.info({ apps: plan.servers.size }, 'the edge took over a new structure')
      // Processes that were replaced keep their connections, and must not send them to containers that go.
      const all = (await haproxy.processes()) ?? []
      await adjust(
        haproxy,
        settings,
        plan,
        all.filter(({ isOld }) => isOld),
        log,
      )
      return
    }
    // HAProxy goes on with what it has; a restart must find that too.
    if (before !== null) await writeConfiguration(settings, before)
    throw new Error('HAProxy refused the new configuration; the one before stays in force. Its log says why.')
  }

  return {
    sync() {
      if (waiting !== null) return waiting
      const next = running.then(() => {
        waiting = null
        return syncNow()
      })
      waiting = next
      running = next.catch(() => undefined)
      return next
    },
    async drained(containerIds, { limitMs, signal }) {
      const end = Date.now() + limitMs
      for (;;) {
        if (!(await anyConnection(haproxy, containerIds))) return true
        if (Date.now() >= end) return false
        await sleep(Math.min(100, limitMs), undefined, { signal })
      }
    },
  }
}

/** Old processes may lack what the plan names; only the present one has to take everything. */
async function adjust(
  haproxy: Haproxy,
  settings: EdgeSettings,
  plan: EdgePlan,
  processes: HaproxyProcess[],
  log: Logger,
): Promise<void> {
  const path = hostsPath(settings)
  for (const process of processes) {
    const state = {
      servers: await haproxy.servers(process),
      hosts: await haproxy.hosts(process, path),
    }
    for (const command of changesTo(plan, state, path)) {
      const answer = await haproxy.command(process, command)
      if (process.isOld || isFine(answer)) continue
      throw new Error(`HAProxy answered "${answer}" to "${command}".`)
    }
    if (state.servers.length === 0) continue
    for (const server of deletableServers(plan, state.servers, await haproxy.connections(process))) {
      // Connections that wait to be used again are closed by maintenance; one that came meanwhile makes it fail: later.
      await haproxy.command(process, `set server ${server} state maint`)
      const answer = await haproxy.command(process, `del server ${server}`)
      log.debug({ server, answer }, 'a server left the edge')
    }
  }
}

function isFine(answer: string): boolean {
  return answer === '' || /^(New server registered|no need to change|.*changed from)/.test(answer)
}

async function anyConnection(haproxy: Haproxy, containerIds: string[]): Promise<boolean> {
  for (const process of (await haproxy.processes()) ?? []) {
    for (const [server, open] of await haproxy.connections(process)) {
      if (open > 0 && containerIds.some((id) => server.endsWith(`/${id}`))) return true
    }
  }
  return false
}
