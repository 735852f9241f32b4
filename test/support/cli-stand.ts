/** Commands as people call them, each a process of its own, against the real API, edge, worker and a live app. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { afterAll, beforeAll, inject } from 'vitest'
import { createApi } from '../../app/api/v1/_routes/api.ts'
import { getProject } from '../../platform/projects.ts'
import { createToken } from '../../platform/tokens.ts'
import { setVariables } from '../../platform/variables.ts'
import { checkout } from './berth-home.ts'
import { makeTar, type TarEntry } from './images.ts'
import { operator } from './platform.ts'
import { freePort } from './registry.ts'
import { startTestHost, type TestHost } from './worker.ts'

export const program = join(checkout, 'berth')

export interface Result {
  code: number | null
  stdout: string
  stderr: string
}

export interface Started {
  child: ChildProcessWithoutNullStreams
  /** What came so far. */
  result: Result
  ended: Promise<Result>
}

export interface CliStand {
  readonly host: TestHost
  readonly appId: string
  /** As people type the app's. */
  readonly name: string
  /** Of a developer of the team, by a token. */
  readonly environment: Record<string, string>
  /** By default in that environment. */
  start(argv: string[], environment?: Record<string, string>): Started
  /** `berth` with these words, to its end. */
  run(words: string[], input?: string, environment?: Record<string, string>): Promise<Result>
}

export interface CliStandOptions {
  image: string
  /** Of busybox, what the image has besides. */
  programs: string[]
  variables?: { name: string; value: string }[]
}

/** One for all tests of a file. */
export function cliStandForAll({ image, programs, variables = [] }: CliStandOptions): CliStand {
  let host: TestHost
  let web: ReturnType<typeof createServer>
  let name: string
  let appId: string
  let usual: Record<string, string>

  beforeAll(async () => {
    const webPort = await freePort()
    host = await startTestHost(
      { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') },
      { webPort },
    )
    const { platform, config, makeUser } = host.berth
    web = createServer(getRequestListener(createApi(platform).fetch)).listen(webPort, '127.0.0.1')
    await host.startWorker()
    const links = programs.map(
      (each): TarEntry => ({ name: `bin/${each}`, type: 'symlink', linkname: 'busybox' }),
    )
    const app = await host.makeApp(await host.push(image, { layers: [await makeTar(links)] }))
    appId = app.id
    if (variables.length > 0) await setVariables(platform, operator, { appId }, { set: variables })
    await host.untilStatus((await host.deploy(appId)).id, 'live')
    name = `acme/${(await getProject(platform, operator, app.projectId)).slug}/${app.slug}`
    const { viewer } = await makeUser({ teamId: host.teamId, role: 'developer' })
    const { secret } = await createToken(platform, viewer, { name: image, role: 'developer' })
    usual = { BERTH_URL: `http://127.0.0.1:${config.port}`, BERTH_TOKEN: secret }
  })
  afterAll(async () => {
    web?.closeAllConnections()
    web?.close()
    await host?.close()
  })

  const stand: CliStand = {
    get host() {
      return host
    },
    get appId() {
      return appId
    },
    get name() {
      return name
    },
    get environment() {
      return usual
    },
    start([command = '', ...args], environment = usual) {
      const env = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', ...environment }
      const child = spawn(command, args, { cwd: checkout, env })
      const result: Result = { code: null, stdout: '', stderr: '' }
      // Not every command reads to the end.
      child.stdin.on('error', () => {})
      child.stdout.on('data', (chunk) => {
        result.stdout += chunk
      })
      child.stderr.on('data', (chunk) => {
        result.stderr += chunk
      })
      const ended = new Promise<Result>((resolve) =>
        child.once('close', (code) => resolve(Object.assign(result, { code }))),
      )
      return { child, result, ended }
    },
    run(words, input = '', environment) {
      const { child, ended } = stand.start([program, ...words], environment)
      child.stdin.end(input)
      return ended
    },
  }
  return stand
}
