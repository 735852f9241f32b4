import { chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Api, operatorApi } from '../../cli/api.ts'
import { root } from '../../cli/processes.ts'
import { freePort, prepareHome, readSecret, writeSettings } from '../../cli/settings.ts'
import type { Team } from '../../platform/model/resources.ts'
import type { BenchContext } from '../bench.ts'
import { startPart } from './part.ts'

/** Berth's registry, as its users reach it. */
export interface BerthRegistry {
  /** Such as localhost:40123. */
  host: string
  /** Its files. */
  folder: string
  /** Namespace of the team that images go to. */
  team: string
  /** NAME:SECRET of who may push there. */
  credentials: string
}

/** What benches of the whole platform ask it by. */
export interface BerthInstallation extends BerthRegistry {
  /** Its folder of all state. */
  home: string
  /** Public port. */
  port: number
  teamId: string
  api: Api
}

/** A token as people have them: the operator's is worth nothing where requests come from outside. */
export async function makeToken({ api }: Pick<BerthInstallation, 'api'>): Promise<string> {
  const { secret } = await api.post<{ secret: string }>('/operator/tokens', { name: 'bench', team: 'bench' })
  return secret
}

/** A whole Berth as `berth up` starts it, in a home below the bench's folder, without the welcome app. */
export async function startInstallation(context: BenchContext): Promise<BerthInstallation> {
  const home = join(context.folder, 'home')
  const port = await freePort()
  // PostgreSQL's user must get through.
  for (const folder of [context.folder, dirname(context.folder)]) chmodSync(folder, 0o711)
  writeSettings(home, { ...(await prepareHome(home, { port })), welcomed: true })
  const host = `localhost:${port}`
  context.note('starting a Berth of its own, which is built before if it never was')
  await startPart(context, {
    argv: [join(root, 'berth'), 'up', '--home', home, '--port', String(port)],
    log: join(context.folder, 'berth.log'),
    isReady: async () => {
      const [registry, dashboard] = await Promise.all([
        fetch(`http://${host}/v2/`),
        fetch(`http://${host}/api/health`),
      ])
      return registry.status === 401 && dashboard.ok
    },
    readyWithinMs: 300_000,
  })
  // Ports inside are chosen anew at a start where somebody else has them.
  const settings = await prepareHome(home, { port, keepPorts: true })
  const api = operatorApi(home, settings)
  const team = await api.post<Team>('/teams', { name: 'Bench', slug: 'bench' })
  return {
    ...{ home, host, port, api, teamId: team.id },
    folder: join(home, 'registry', 'data'),
    team: team.imageNamespace,
    credentials: `operator:${readSecret(home, 'operator.token')}`,
  }
}
