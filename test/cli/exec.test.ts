/** `berth exec` as people call it: a process of its own, the real API, edge, worker and container. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApi } from '../../app/api/v1/_routes/api.ts'
import { getProject } from '../../platform/projects.ts'
import { createToken } from '../../platform/tokens.ts'
import { checkout } from '../support/berth-home.ts'
import { makeTar, type TarEntry } from '../support/images.ts'
import { operator } from '../support/platform.ts'
import { freePort } from '../support/registry.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let web: ReturnType<typeof createServer>
let name: string
let environment: Record<string, string>

beforeAll(async () => {
  const webPort = await freePort()
  host = await startTestHost(
    { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') },
    { webPort },
  )
  const { platform, config, makeUser } = host.berth
  web = createServer(getRequestListener(createApi(platform).fetch)).listen(webPort, '127.0.0.1')
  await host.startWorker()
  const links = ['stty', 'tty', 'wc', 'md5sum'].map(
    (each): TarEntry => ({ name: `bin/${each}`, type: 'symlink', linkname: 'busybox' }),
  )
  const app = await host.makeApp(await host.push('exec', { layers: [await makeTar(links)] }))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const project = await getProject(platform, operator, app.projectId)
  name = `acme/${project.slug}/${app.slug}`
  const { viewer } = await makeUser({ teamId: host.teamId, role: 'developer' })
  const { secret } = await createToken(platform, viewer, { name: 'exec', role: 'developer' })
  environment = { BERTH_URL: `http://127.0.0.1:${config.port}`, BERTH_TOKEN: secret }
})
afterAll(async () => {
  web?.closeAllConnections()
  web?.close()
  await host?.close()
})

interface Result {
  code: number | null
  stdout: string
  stderr: string
}

function start(argv: string[], env: Record<string, string> = environment) {
  const [command = '', ...args] = argv
  const own = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', ...env }
  const child = spawn(command, args, { cwd: checkout, env: own })
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
}

const program = join(checkout, 'berth')
function run(args: string[], input = '', env?: Record<string, string>): Promise<Result> {
  const { child, ended } = start([program, 'exec', ...args], env)
  child.stdin.end(input)
  return ended
}

test('its output, its errors and its exit code are the command’s', async () => {
  expect(await run([name, '--', 'sh', '-c', 'echo out; echo wrong >&2; exit 3'])).toEqual({
    code: 3,
    stdout: 'out\n',
    stderr: 'wrong\n',
  })
  // Options behind the name of the command are the command's.
  expect(await run([name, 'echo', '-i', '--', 'x'])).toMatchObject({ code: 0, stdout: '-i -- x\n' })
})

test('input is passed on with -i alone, whole, and has an end', async () => {
  const input = 'line of input\n'.repeat(100_000)
  const passed = await run(['-i', name, '--', 'wc', '-c'], input)
  expect({ ...passed, stdout: passed.stdout.trim() }).toEqual({ code: 0, stdout: '1400000', stderr: '' })
  expect(await run([name, '--', 'wc', '-c'], 'nobody reads this')).toMatchObject({ code: 0, stdout: '0\n' })
})

test('a great deal of output comes whole', async () => {
  const { code, stdout } = await run([name, '--', 'seq', '1', '300000'])
  expect([code, stdout.length, stdout.slice(-7)]).toEqual([0, 1_988_895, '300000\n'])
})

test('in a terminal it is a shell there, with its size', async () => {
  const shell = `stty rows 31 cols 97; exec ${program} exec ${name}`
  const { child, result, ended } = start(['script', '-qec', shell, '/dev/null'])
  await until('the prompt', () => result.stdout.includes('/ # '))
  child.stdin.write('stty size; tty; exit 9\r')
  const { code, stdout } = await ended
  expect(code).toBe(9)
  expect(stdout).toContain('31 97')
  expect(stdout).toMatch(/\/dev\/pts\/\d/)
})

test('with --debug it runs beside the container, which an image without a shell is told of', async () => {
  const command = 'cat /proc/1/root/www/index.html; ls /proc/1/root/bin/sh; exit 4'
  const beside = await run(['--debug', name, '--', 'sh', '-c', command])
  expect(beside).toEqual({ code: 4, stdout: 'exec/proc/1/root/bin/sh\n', stderr: '' })
  const bare = await host.push('bare', {
    ...{ bare: true, entrypoint: ['/busybox', 'httpd', '-f', '-p', '8080', '-h', '/'] },
    layers: [await makeTar([{ name: 'busybox', content: readFileSync('/bin/busybox'), mode: 0o755 }])],
  })
  const app = await host.makeApp(bare, { port: 8080 })
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const project = await getProject(host.berth.platform, operator, app.projectId)
  const shell = `${program} exec acme/${project.slug}/${app.slug}`
  const { ended } = start(['script', '-qec', shell, '/dev/null'])
  const { code, stdout } = await ended
  expect([code, stdout]).toEqual([127, expect.stringMatching(/The image has no shell\. --debug opens one/)])
})

test('what can not be run is said, with an exit code of its own', async () => {
  const missing = await run([name, '--', '/no/such'])
  expect(missing).toMatchObject({ code: 127, stdout: '', stderr: expect.stringContaining('/no/such') })
  expect(await run(['--replica', '7', name, '--', 'true'])).toMatchObject({
    code: 125,
    stderr: expect.stringContaining('No such container of this app runs.'),
  })
  expect(await run(['acme/nowhere/app', '--', 'true'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no app acme/nowhere/app'),
  })
  expect((await run([name])).stderr).toContain('Standard input is no terminal')
  const other = { ...environment, BERTH_TOKEN: 'berth_nobodys' }
  expect((await run([name, '--', 'true'], '', other)).stderr).toContain('The token is unknown')
  expect((await run([name, '--', 'true'], '', { ...environment, BERTH_TOKEN: '' })).stderr).toContain(
    'There is no token for',
  )
})
