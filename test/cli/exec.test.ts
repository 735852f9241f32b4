import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { getProject } from '../../platform/projects.ts'
import { cliStandForAll, program } from '../support/cli-stand.ts'
import { makeTar } from '../support/images.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'

const stand = cliStandForAll({ image: 'exec', programs: ['stty', 'tty', 'wc', 'md5sum'] })
const { start } = stand
const run = (args: string[], input = '', env?: Record<string, string>) =>
  stand.run(['exec', ...args], input, env)

test('its output, its errors and its exit code are the command’s', async () => {
  expect(await run([stand.name, '--', 'sh', '-c', 'echo out; echo wrong >&2; exit 3'])).toEqual({
    code: 3,
    stdout: 'out\n',
    stderr: 'wrong\n',
  })
  // Options behind the name of the command are the command's.
  expect(await run([stand.name, 'echo', '-i', '--', 'x'])).toMatchObject({ code: 0, stdout: '-i -- x\n' })
})

test('input is passed on with -i alone, whole, and has an end', async () => {
  const input = 'line of input\n'.repeat(100_000)
  const passed = await run(['-i', stand.name, '--', 'wc', '-c'], input)
  expect({ ...passed, stdout: passed.stdout.trim() }).toEqual({ code: 0, stdout: '1400000', stderr: '' })
  expect(await run([stand.name, '--', 'wc', '-c'], 'nobody reads this')).toMatchObject({
    code: 0,
    stdout: '0\n',
  })
})

test('a great deal of output comes whole', async () => {
  const { code, stdout } = await run([stand.name, '--', 'seq', '1', '300000'])
  expect([code, stdout.length, stdout.slice(-7)]).toEqual([0, 1_988_895, '300000\n'])
})

test('in a terminal it is a shell there, with its size', async () => {
  const shell = `stty rows 31 cols 97; exec ${program} exec ${stand.name}`
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
  const beside = await run(['--debug', stand.name, '--', 'sh', '-c', command])
  expect(beside).toEqual({ code: 4, stdout: 'exec/proc/1/root/bin/sh\n', stderr: '' })
  const bare = await stand.host.push('bare', {
    ...{ bare: true, entrypoint: ['/busybox', 'httpd', '-f', '-p', '8080', '-h', '/'] },
    layers: [await makeTar([{ name: 'busybox', content: readFileSync('/bin/busybox'), mode: 0o755 }])],
  })
  const app = await stand.host.makeApp(bare, { port: 8080 })
  await stand.host.untilStatus((await stand.host.deploy(app.id)).id, 'live')
  const project = await getProject(stand.host.berth.platform, operator, app.projectId)
  const shell = `${program} exec acme/${project.slug}/${app.slug}`
  const { ended } = start(['script', '-qec', shell, '/dev/null'])
  const { code, stdout } = await ended
  expect([code, stdout]).toEqual([127, expect.stringMatching(/The image has no shell\. --debug opens one/)])
})

test('what can not be run is said, with an exit code of its own', async () => {
  const missing = await run([stand.name, '--', '/no/such'])
  expect(missing).toMatchObject({ code: 127, stdout: '', stderr: expect.stringContaining('/no/such') })
  expect(await run(['--replica', '7', stand.name, '--', 'true'])).toMatchObject({
    code: 125,
    stderr: expect.stringContaining('No such container of this app runs.'),
  })
  expect(await run(['acme/nowhere/app', '--', 'true'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no app acme/nowhere/app'),
  })
  expect((await run([stand.name])).stderr).toContain('Standard input is no terminal')
  const other = { ...stand.environment, BERTH_TOKEN: 'berth_nobodys' }
  expect((await run([stand.name, '--', 'true'], '', other)).stderr).toContain('The token is unknown')
  expect(
    (await run([stand.name, '--', 'true'], '', { ...stand.environment, BERTH_TOKEN: '' })).stderr,
  ).toContain('There is no token for')
})
