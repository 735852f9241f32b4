/** From the request to deploy until the new version answers, beside `docker run` until it answers. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../../cli/processes.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { provide } from '../images/image.ts'
import { webCommand, webImage } from '../images/web.ts'
import { forEachAtOnce } from '../parts/at-once.ts'
import { startDocker } from '../parts/docker.ts'
import { type BerthInstallation, startInstallation } from '../parts/installation.ts'
import { openNamespace } from '../parts/namespace.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { startRegistry } from '../parts/registry.ts'
import { untilAnswer } from '../parts/until-answer.ts'
import { makeRow, type Row, type Samples, timesOver } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

const limits = { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64 }

export const bench = deployBench()

/** @param options.apps that serve when it is measured once more. */
export function deployBench({ apps = 500 } = {}): Bench {
  return {
    description: `API request → first 200 of the new version through the edge, beside docker run → first 200, with 1 and ${apps} apps`,
    packages: [
      ...imagePackages,
      ...peerPackages.filter(({ name }) => name === 'docker.io'),
      { name: 'curl', files: ['/usr/bin/curl'], why: "asks Docker's container" },
    ],
    async run(context) {
      const registry = await startRegistry(context)
      const image = await provide(webImage, registry, context)
      const installation = await startInstallation(context)
      const reference = await push(installation, image.layout, context)
      const { id: projectId } = await installation.api.post<{ id: string }>(
        `/teams/${installation.teamId}/projects`,
        { name: 'Bench' },
      )
      const docker = await dockerContestant(context, image.layout)
      const first = await newApps(installation, projectId, reference, context)
      const again = await oneApp(installation, projectId, reference, context)
      const alone = await measureBoth(context, { first, again, docker })
      await serveMany(installation, reference, apps - 1, context)
      const among = await measureBoth(context, { first, again, docker })
      return [...rowsOf(alone, 1), ...rowsOf(among, apps), ...growthRows(alone, among, apps)]
    },
  }
}

type Measured = Record<'first' | 'again', { berth: Samples; docker: Samples }>

async function measureBoth(
  context: BenchContext,
  { first, again, docker }: Record<'first' | 'again' | 'docker', Contestant>,
): Promise<Measured> {
  const measure = async (ours: Contestant) => {
    const { berth = [], docker: theirs = [] } = await takeTurns(context, [ours, docker])
    return { berth, docker: theirs }
  }
  return { first: await measure(first), again: await measure(again) }
}

const what = {
  first: 'a new app, its image pulled: request → first 200 (docker run → first 200)',
  again: 'a new version of an app that serves, without observation: request → first answer of the new one',
}

function rowsOf(measured: Measured, apps: number): Row[] {
  return (['first', 'again'] as const).map((kind) =>
    makeRow({
      what: `${what[kind]}, with ${apps} ${apps === 1 ? 'app' : 'apps'}`,
      ...{ unit: 's', berth: measured[kind].berth, peers: { docker: measured[kind].docker } },
      budget: { atMost: 1 },
    }),
  )
}

/** Docker beside it has no more containers than before: it shows what the machine's own load does. */
function growthRows(alone: Measured, among: Measured, apps: number): Row[] {
  return (['first', 'again'] as const).map((kind) =>
    makeRow({
      what: `${what[kind]}: with ${apps} apps over with 1 (1: it does not change)`,
      unit: 'times',
      berth: timesOver(alone[kind].berth, among[kind].berth),
      peers: { docker: timesOver(alone[kind].docker, among[kind].docker) },
    }),
  )
}

const inProject = 50
const deployedAtOnce = 4

/** So many more apps, each with a container that serves and a route to it. Their containers are gone at the end. */
async function serveMany(
  installation: BerthInstallation,
  image: string,
  count: number,
  context: BenchContext,
): Promise<void> {
  const made: App[] = []
  context.note(`deploying ${count} more apps`)
  context.defer(() => forEachAtOnce(deployedAtOnce, made, (app) => stop(installation, app.id)))
  for (let from = 0; from < count; from += inProject) {
    const { id: projectId } = await installation.api.post<{ id: string }>(
      `/teams/${installation.teamId}/projects`,
      { name: `More ${from}` },
    )
    const numbers = Array.from({ length: Math.min(inProject, count - from) }, (_, at) => from + at)
    await forEachAtOnce(deployedAtOnce, numbers, async (number) => {
      context.signal.throwIfAborted()
      const app = await makeApp(installation, projectId, `more ${number}`, image, 0)
      made.push(app)
      await installation.api.post(`/apps/${app.id}/deployments`)
      await live(installation, app.id, context)
    })
    context.note(`${made.length} of ${count} serve`)
  }
}

async function push(
  { host, team, credentials }: BerthInstallation,
  layout: string,
  { signal }: BenchContext,
): Promise<string> {
  const reference = `${host}/${team}/web:1`
  const flags = ['--insecure-policy', '--dest-tls-verify=false', '--dest-creds', credentials]
  await run(['skopeo', 'copy', ...flags, `oci:${layout}:1`, `docker://${reference}`], { signal })
  return reference
}

interface App {
  id: string
  urls: string[]
}

function makeApp(
  { api }: BerthInstallation,
  projectId: string,
  name: string,
  image: string,
  observationMs: number,
): Promise<App> {
  const settings = {
    ...{ image, port: 8080, command: webCommand, limits, stopGraceMs: 1_000 },
    healthCheck: { observationMs },
  }
  const variables = [{ name: 'VERSION', value: '0' }]
  return api.post(`/projects/${projectId}/apps`, { name, settings, variables })
}

/** Until it is said that the last deployment is live. */
async function live({ api }: BerthInstallation, appId: string, { signal }: BenchContext): Promise<void> {
  for (;;) {
    const { data } = await api.get<{ data: { status: string; failure: unknown }[] }>(
      `/apps/${appId}/deployments?limit=1`,
    )
    const [last] = data
    if (last?.status === 'live') return
    if (last?.status === 'failed') throw new Error(`the deployment failed: ${JSON.stringify(last.failure)}`)
    await sleep(50, undefined, { signal })
  }
}

/** Its containers are gone when it returns: they would outlive the installation. */
async function stop({ api }: BerthInstallation, appId: string): Promise<void> {
  await api.post(`/apps/${appId}/stop`)
  while ((await api.get<{ containers: unknown[] }>(`/apps/${appId}`)).containers.length > 0) await sleep(50)
}

const hostOf = (app: App) => new URL(app.urls[0] ?? '').hostname

/** An app of its own for each turn: what a deployment is that replaces nothing. The first one pulls the image. */
async function newApps(
  installation: BerthInstallation,
  projectId: string,
  image: string,
  context: BenchContext,
): Promise<Contestant> {
  let count = 0
  let app: App = { id: '', urls: [] }
  const turn: Contestant = {
    name: 'berth',
    async prepare() {
      app = await makeApp(installation, projectId, `new ${++count}`, image, 500)
    },
    async work() {
      await installation.api.post(`/apps/${app.id}/deployments`)
      await untilAnswer(installation.port, hostOf(app), 'version 0', context)
    },
    async finish() {
      await live(installation, app.id, context)
      await stop(installation, app.id)
    },
  }
  await turn.prepare()
  await turn.work()
  await turn.finish()
  return turn
}

async function oneApp(
  installation: BerthInstallation,
  projectId: string,
  image: string,
  context: BenchContext,
): Promise<Contestant> {
  const app = await makeApp(installation, projectId, 'one', image, 0)
  context.defer(() => stop(installation, app.id))
  let version = 0
  const turn: Contestant = {
    name: 'berth',
    async prepare() {
      const set = [{ name: 'VERSION', value: String(++version) }]
      await installation.api.patch(`/apps/${app.id}/variables`, { set })
    },
    async work() {
      await installation.api.post(`/apps/${app.id}/deployments`)
      await untilAnswer(installation.port, hostOf(app), `version ${version}`, context)
    },
    finish: () => live(installation, app.id, context),
  }
  await turn.prepare()
  await turn.work()
  await turn.finish()
  return turn
}

/** The same image, command and limits, on a network of its own; asked from within the daemon's namespace. */
async function dockerContestant(context: BenchContext, layout: string): Promise<Contestant> {
  const namespace = await openNamespace(context)
  const started = await startDocker(context, namespace)
  if (typeof started === 'string') return { name: 'docker', absent: started }
  const { docker } = started
  const archive = join(context.folder, 'web.tar')
  const image = 'localhost/bench/web:1'
  const { signal } = context
  await run(
    ['skopeo', 'copy', '--insecure-policy', `oci:${layout}:1`, `docker-archive:${archive}:${image}`],
    { signal },
  )
  try {
    await docker('load', '--quiet', '--input', archive)
    await docker('network', 'create', '--subnet', '10.213.0.0/24', 'bench')
  } catch (error) {
    signal.throwIfAborted()
    return { name: 'docker', absent: error instanceof Error ? error.message : String(error) }
  }
  const limited = [
    '--memory',
    String(limits.memoryBytes),
    '--cpus',
    '0.5',
    '--pids-limit',
    String(limits.pids),
  ]
  const place = ['--network', 'bench', '--ip', '10.213.0.10', '--env', 'VERSION=0']
  const asking = 'until [ "$(curl -s -m 1 http://10.213.0.10:8080/)" = "version 0" ]; do sleep 0.002; done'
  let count = 0
  const turn: Contestant = {
    name: 'docker',
    prepare: async () => void count++,
    async work() {
      await docker('run', '--detach', '--name', `web-${count}`, ...limited, ...place, image, ...webCommand)
      await run(['nsenter', `--net=/run/netns/${namespace}`, 'sh', '-c', asking], { signal })
    },
    finish: async () => void (await docker('rm', '--force', `web-${count}`)),
  }
  await turn.prepare()
  await turn.work()
  await turn.finish()
  return turn
}
