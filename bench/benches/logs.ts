/** Lines from a container to whoever follows it through the edge and the API, beside `docker logs --follow`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientOf } from '../../cli/client.ts'
import { events } from '../../cli/deploy/stream.ts'
import { run } from '../../cli/processes.ts'
import type { LogLine } from '../../platform/model/events.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { provide } from '../images/image.ts'
import { webImage } from '../images/web.ts'
import { startDocker } from '../parts/docker.ts'
import { type BerthInstallation, makeToken, startInstallation } from '../parts/installation.ts'
import { type Arrived, createFloodReader, floodCommand } from '../parts/log-flood.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { startRegistry } from '../parts/registry.ts'
import { makeRow, type Samples } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

const limits = { memoryBytes: 64 * 2 ** 20, cpuMillis: 1_000, pids: 64 }
const limitMs = 120_000

export const bench: Bench = {
  description: 'lines a second from one container to a reader, latency and loss, beside docker logs --follow',
  packages: [...imagePackages, ...peerPackages.filter(({ name }) => name === 'docker.io')],
  async run(context) {
    const registry = await startRegistry(context)
    const image = await provide(webImage, registry, context)
    const installation = await startInstallation(context)
    const arrived: Record<string, Arrived[]> = { berth: [], docker: [] }
    const keep = (name: string) => (result: Arrived) => {
      arrived[name]?.push(result)
      return result.p95Ms / 1_000
    }
    const turns = await takeTurns(context, [
      await berthContestant(installation, image.layout, context, keep('berth')),
      await dockerContestant(context, image.layout, keep('docker')),
    ])
    const samples = (name: string, of: (result: Arrived) => number): Samples => {
      const turn = turns[name]
      return typeof turn === 'string' ? turn : (arrived[name] ?? []).map(of)
    }
    const row = (
      what: string,
      unit: string,
      of: (result: Arrived) => number,
      rest: Pick<Parameters<typeof makeRow>[0], 'budget' | 'better'> = {},
    ) =>
      makeRow({ what, unit, berth: samples('berth', of), peers: { docker: samples('docker', of) }, ...rest })
    return [
      row(
        'lines that arrive, of about 10,000 a second that are written',
        'lines/s',
        (all) => all.linesPerSecond,
        {
          better: 'more',
        },
      ),
      row('from the container’s monitor to the reader, p95', 'ms', ({ p95Ms }) => p95Ms, {
        budget: { atMost: 250 },
      }),
      row('lines lost', 'lines', ({ lost }) => lost, { budget: { atMost: 0 } }),
      row('lines out of order', 'lines', ({ reordered }) => reordered, { budget: { atMost: 0 } }),
    ]
  },
}

async function berthContestant(
  { api, host, team, teamId, credentials }: BerthInstallation,
  layout: string,
  { signal, defer }: BenchContext,
  keep: (result: Arrived) => number,
): Promise<Contestant> {
  const image = `${host}/${team}/web:1`
  const flags = ['--insecure-policy', '--dest-tls-verify=false', '--dest-creds', credentials]
  await run(['skopeo', 'copy', ...flags, `oci:${layout}:1`, `docker://${image}`], { signal })
  const { id: projectId } = await api.post<{ id: string }>(`/teams/${teamId}/projects`, { name: 'Bench' })
  const settings = {
    ...{ image, port: 8080, command: floodCommand, limits, stopGraceMs: 1_000 },
    healthCheck: { observationMs: 0 },
  }
  const app = await api.post<{ id: string }>(`/projects/${projectId}/apps`, { name: 'Flood', settings })
  defer(async () => {
    await api.post(`/apps/${app.id}/stop`)
    while ((await api.get<{ containers: unknown[] }>(`/apps/${app.id}`)).containers.length > 0)
      await sleep(50)
  })
  const client = clientOf({ url: `http://${host}`, token: await makeToken({ api }) })
  let deployment = { id: '' }
  return {
    name: 'berth',
    async prepare() {
      deployment = await api.post<{ id: string }>(`/apps/${app.id}/deployments`)
      let status = ''
      while (status !== 'live') {
        const now = await api.get<{ status: string; failure: unknown }>(`/deployments/${deployment.id}`)
        if (now.status === 'failed') throw new Error(`the deployment failed: ${JSON.stringify(now.failure)}`)
        status = now.status
        await sleep(50, undefined, { signal })
      }
    },
    async work() {
      const over = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
      const reader = createFloodReader()
      const path = `/apps/${app.id}/logs?lastEventId=$`
      for await (const line of events<Partial<LogLine>>(client, path, { signal: over }))
        if (line.deploymentId === deployment.id && reader.take(line.text ?? '', line.time ?? '')) break
      return keep(reader.result())
    },
    finish: async () => {},
  }
}

/** The same image and command. Its daemon writes JSON lines into a file, as it does unless told otherwise. */
async function dockerContestant(
  context: BenchContext,
  layout: string,
  keep: (result: Arrived) => number,
): Promise<Contestant> {
  const started = await startDocker(context)
  if (typeof started === 'string') return { name: 'docker', absent: started }
  const { docker } = started
  const { signal, folder } = context
  const image = 'localhost/bench/web:1'
  const archive = join(folder, 'web.tar')
  const from = [`oci:${layout}:1`, `docker-archive:${archive}:${image}`]
  await run(['skopeo', 'copy', '--insecure-policy', ...from], { signal })
  await docker('load', '--quiet', '--input', archive)
  const usual = [
    '--network',
    'none',
    '--memory',
    String(limits.memoryBytes),
    '--cpus',
    '1',
    '--pids-limit',
    '64',
  ]
  return {
    name: 'docker',
    prepare: async () =>
      void (await docker('run', '--detach', '--name', 'flood', ...usual, image, ...floodCommand)),
    async work() {
      const args = [
        '--host',
        `unix://${join(folder, 'docker/socket')}`,
        'logs',
        '--follow',
        '--timestamps',
        'flood',
      ]
      const child = spawn('/usr/bin/docker', args, { stdio: ['ignore', 'pipe', 'ignore'] })
      const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
      const reader = createFloodReader()
      try {
        for await (const line of createInterface({ input: child.stdout })) {
          const space = line.indexOf(' ')
          if (reader.take(line.slice(space + 1), line.slice(0, space))) break
        }
      } finally {
        clearTimeout(timer)
        const exited = child.exitCode === null ? once(child, 'exit') : null
        child.kill('SIGKILL')
        await exited
      }
      return keep(reader.result())
    },
    finish: async () => void (await docker('rm', '--force', 'flood')),
  }
}
