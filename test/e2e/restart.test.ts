import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { processStart } from '../../cli/processes.ts'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { startLoad } from '../support/load/clients.ts'
import { nodeImage } from '../support/node-image.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { until } from '../support/until.ts'

// An app under load, while the platform around it is replaced.
let berth: BerthHome
let app: { id: string; urls: string[] }

beforeAll(async () => {
  berth = await makeBerthHome()
  await berth.up()
  const { stdout } = await berth.run('token', 'create', '--team', 'main')
  const token = /berth_\w+/.exec(stdout)?.[0] ?? ''
  const image = `localhost:${berth.port}/main/load:1`
  const server = readFileSync(join(import.meta.dirname, '../support/load/server.mjs'), 'utf8')
  const spec = await nodeImage({ 'server.mjs': server })
  await pushWithSkopeo(image, `token:${token}`, {
    ...spec,
    entrypoint: ['/bin/node', '/server.mjs'],
    env: ['VERSION=v1'],
  })
  const projects = await berth.api('GET', '/teams/main/projects')
  const [project] = (projects.body as { data: { id: string }[] }).data
  const settings = { image, healthCheck: { observationMs: 300 } }
  const made = await berth.api('POST', `/projects/${project?.id}/apps`, { name: 'Load', settings })
  app = made.body as typeof app
  await deploy()
})

afterAll(async () => {
  await berth?.close()
})

async function deploy(): Promise<void> {
  const { body } = await berth.api('POST', `/apps/${app.id}/deployments`)
  const { id } = body as { id: string }
  await until('it is live', async () => {
    const found = await berth.api('GET', `/deployments/${id}`)
    const { status, failure } = found.body as { status: string; failure: unknown }
    expect(failure).toBeNull()
    return status === 'live'
  })
}

const pids = async () =>
  new Map((await berth.status()).parts.map(({ name, pid }) => [name, pid ?? 0] as const))

/** Pids of the processes that serve, below HAProxy's master. */
const servingPids = (master: number) =>
  readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ')

test('a restart after an upgrade, and a start after the supervisor was killed: a new HAProxy takes over, and no request is lost', async () => {
  const host = new URL(app.urls[0] ?? '').hostname
  const load = startLoad(berth.port, host)
  try {
    const before = await pids()
    const master = before.get('edge') ?? 0
    const [served] = servingPids(master)
    load.phase = 'restart'
    const { code, output } = await berth.run('restart')
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Dashboard') })
    const after = await pids()
    // The one that systemd or a terminal waits for stays; all else is new, HAProxy by executing itself.
    expect(after.get('berth')).toBe(before.get('berth'))
    for (const name of ['postgres', 'redis', 'registry', 'web', 'worker'])
      expect(after.get(name)).not.toBe(before.get(name))
    expect(after.get('edge')).toBe(master)
    expect(servingPids(master).some((pid) => pid !== served)).toBe(true)
    load.phase = 'a deployment after the restart'
    await deploy()

    load.phase = 'supervisor killed'
    process.kill(after.get('berth') ?? 0, 'SIGKILL')
    await until('it is gone', async () => !(await berth.status()).running)
    load.phase = 'up after the supervisor was killed'
    await berth.up()
    expect((await pids()).get('edge')).toBe(master)
    load.phase = 'a deployment after that'
    await deploy()
  } finally {
    const { answered, failures } = await load.stop()
    console.log(`answered: ${JSON.stringify(answered)}`)
    expect(failures).toEqual([])
    for (const kind of ['keep-alive', 'one by one', 'slow', 'upload', 'WebSocket', 'events'])
      expect(answered[kind] ?? 0, kind).toBeGreaterThan(2)
  }

  // An edge that was taken over is watched and ended like one that was started.
  const edge = (await pids()).get('edge') ?? 0
  process.kill(edge, 'SIGKILL')
  await until('another one runs', async () => ![edge, 0].includes((await pids()).get('edge') ?? 0))
  await until('it answers', async () => (await berth.open(app.urls[0] ?? '')).status === 200)
  const last = (await pids()).get('edge') ?? 0
  expect((await berth.run('down')).code).toBe(0)
  expect(processStart(last)).toBeNull()
}, 600_000)

test('where nothing runs there is nothing to restart', async () => {
  const { code, stderr } = await berth.run('restart')
  expect(code).toBe(1)
  expect(stderr).toContain('does not run')
})
