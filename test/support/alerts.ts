/** Apps whose alerts are judged, minute by minute, with the clock given. */
import { afterAll, beforeAll, expect, inject } from 'vitest'
import { evaluateAlerts } from '../../platform/alerts/evaluate.ts'
import { listAppAlertRules, setAppAlertRule } from '../../platform/alerts/rules.ts'
import { createDeployment } from '../../platform/deployments.ts'
import type { AlertRuleName } from '../../platform/model/alerts.ts'
import type { AppEvent } from '../../platform/model/app-event-kinds.ts'
import { containerMetrics } from '../../platform/model/metrics.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import type { Platform } from '../../platform/open.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { markLive, setDeploymentStatus, setImageDigest } from '../../platform/worker/deployment-status.ts'
import { registerHost } from '../../platform/worker/hosts.ts'
import { recordMetrics } from '../../platform/worker/metrics.ts'
import { openTestPlatform, operator, type TestPlatform } from './platform.ts'

const start = Date.parse('2027-03-01T12:00:00.000Z')
export const minute = 60_000
export const at = (minutes: number) => new Date(start + minutes * minute)

export interface Use {
  cpu?: number
  memory?: number
}

export interface AlertStand {
  readonly berth: TestPlatform
  readonly platform: Platform
  readonly team: Team
  liveApp(teamId?: string): Promise<App & { deploymentId: string }>
  /** What a replica used in the minute that ends then, in percent of its limits. */
  use(app: App, minutes: number, used: Use, replica?: number): Promise<void>
  /** The minutes from one to the other, each with this use and a round at its end. */
  pass(app: App, from: number, to: number, used: Use | null, on?: Platform): Promise<void>
  told(app: App): Promise<AppEvent[]>
  kindsTold(app: App): Promise<string[]>
  ruleOf(
    app: App,
    name: AlertRuleName,
    minutes: number,
  ): Promise<Awaited<ReturnType<typeof listAppAlertRules>>[number]>
  set(app: App, rule: string, input: object, minutes?: number): ReturnType<typeof setAppAlertRule>
}

/** One for all tests of a file. */
export function alertStandForAll(): AlertStand {
  let berth: TestPlatform
  let team: Team
  beforeAll(async () => {
    berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
    team = await berth.makeTeam('Acme')
    await registerHost(berth.platform, { id: berth.config.hostId, name: 'one', facts: {} })
  })
  afterAll(() => berth?.close())

  const stand: AlertStand = {
    get berth() {
      return berth
    },
    get platform() {
      return berth.platform
    },
    get team() {
      return team
    },
    async liveApp(teamId = team.id) {
      const { platform } = berth
      const app = await berth.makeApp(teamId)
      const { id } = await createDeployment(platform, operator, app.id)
      for (const status of ['pulling', 'starting', 'checking', 'routing'] as const)
        await setDeploymentStatus(platform, id, status)
      await setImageDigest(platform, id, `sha256:${'ab'.repeat(32)}`)
      expect(await markLive(platform, id)).toBe(true)
      return { ...app, deploymentId: id }
    },
    async use(app, minutes, used, replica = 0) {
      const numbers: Record<string, number> = {
        ...{ cpuMillis: (used.cpu ?? 1) * 5, cpuLimitMillis: 500 },
        ...{ memoryBytes: (used.memory ?? 1) * 1_000, memoryLimitBytes: 100_000 },
      }
      const values = containerMetrics.map((metric) => numbers[metric] ?? 1)
      for (let index = 0; index < 6; index++)
        await recordMetrics(berth.platform, new Date(at(minutes).getTime() - index * 10_000), [
          {
            ...{ subject: `${app.id}-${replica}`, hostId: berth.config.hostId, appId: app.id },
            ...{ process: 'web', replica, values },
          },
        ])
    },
    async pass(app, from, to, used, on = berth.platform) {
      for (let minutes = from; minutes <= to; minutes++) {
        if (used !== null) await stand.use(app, minutes, used)
        await evaluateAlerts(on, at(minutes))
      }
    },
    async told(app) {
      const { data } = await listTimeline(berth.platform, operator, app.id, { kind: 'alert' })
      return data.map(({ event }) => event).reverse()
    },
    kindsTold: async (app) => (await stand.told(app)).map(({ kind }) => kind),
    async ruleOf(app, name, minutes) {
      const rules = await listAppAlertRules(berth.platform, operator, app.id, at(minutes))
      const found = rules.find(({ rule }) => rule === name)
      if (found === undefined) throw new Error(`no rule ${name}`)
      return found
    },
    set: (app, rule, input, minutes = 0) =>
      setAppAlertRule(berth.platform, operator, { id: app.id, rule }, input, at(minutes)),
  }
  return stand
}
