import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRun, getRun, listRuns, runContainerId } from '../../platform/runs.ts'
import { openTerminal } from '../../platform/terminals.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { cliStandForAll, program } from '../support/cli-stand.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'

const stand = cliStandForAll({
  image: 'run',
  programs: ['stty', 'wc'],
  variables: [{ name: 'STAGE', value: 'test' }],
})
const { start } = stand
const run = (args: string[], input = '') => stand.run(['run', ...args], input)

const newest = async () => {
  const [first] = (await listRuns(stand.host.berth.platform, operator, stand.appId, { limit: 1 })).data
  if (first === undefined) throw new Error('nothing ran')
  return first
}
const untilNewest = (status: string) =>
  until(`it is ${status}`, async () => (await newest()).status === status)
/** Folders of the host's containers. */
const containers = () => readdirSync(join(stand.host.berth.config.home, 'engine/containers'))
async function untilGone(): Promise<void> {
  const { id } = await newest()
  await until('its container is gone', () => !containers().includes(runContainerId(id)))
}

/** One with input that has said so, and goes on with `script`. */
async function begun(script: string) {
  const started = start([program, 'run', '-i', stand.name, '--', 'sh', '-c', `echo here; ${script}`])
  await until('it has begun', () => started.result.stdout.includes('here'))
  return started
}

test('its output, its errors and its exit code are the command’s, in a container of its own that goes', async () => {
  const script = 'echo $STAGE; cat /www/index.html; echo; echo wrong >&2; hostname; exit 3'
  const { code, stdout, stderr } = await run([stand.name, '--', 'sh', '-c', script])
  expect([code, stderr]).toEqual([3, 'wrong\n'])
  expect(stdout).toMatch(/^test\nrun\n.+-run-1\n$/)
  expect(await newest()).toMatchObject({ status: 'failed', exitCode: 3, isAttached: false })
  await untilGone()
  // Options behind the name of the command are the command's.
  expect(await run([stand.name, 'echo', '-d', '--', 'x'])).toMatchObject({ code: 0, stdout: '-d -- x\n' })
})

test('a great deal of output comes whole', async () => {
  const { code, stdout } = await run([stand.name, '--', 'seq', '1', '20000'])
  expect(code).toBe(0)
  expect(stdout.split('\n')).toEqual([...Array.from({ length: 20_000 }, (_, at) => String(at + 1)), ''])
})

test('with -d it is left to itself, and says by what it is found', async () => {
  const { code, stdout } = await run(['-d', stand.name, '--', 'sh', '-c', 'echo alone'])
  const id = /run_\S+/.exec(stdout)?.[0] ?? ''
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^Run \d+ of acme\/\S+ is queued: run_/)])
  await until('it is over', async () => {
    const { status } = await getRun(stand.host.berth.platform, operator, id)
    return status === 'succeeded'
  })
  const { log } = await getRun(stand.host.berth.platform, operator, id)
  expect(log.map(({ text }) => text)).toEqual(['alone'])
  for (const argv of [
    ['-d', stand.name],
    ['-d', '-t', stand.name, '--', 'true'],
  ])
    expect((await run(argv)).code).toBe(125)
})

test('it may take so long and no longer, with a terminal too', async () => {
  const sleeps = ['--', 'sh', '-c', 'echo begun; sleep 1000']
  const end = { code: 124, stderr: 'berth: It did not end within 1 s and was stopped.\n' }
  expect(await run(['--limit', '1', stand.name, ...sleeps])).toMatchObject({ ...end, stdout: 'begun\n' })
  expect(await run(['-i', '--limit', '1', stand.name, ...sleeps])).toMatchObject(end)
  expect(await newest()).toMatchObject({ status: 'failed', reason: 'timeout', isAttached: true })
  expect(await run(['--limit', '0', stand.name, '--', 'true'])).toMatchObject({
    code: 125,
    stderr: expect.stringContaining('at least a second'),
  })
})

test('Ctrl-C ends it where it runs', async () => {
  const { child, result, ended } = start([
    program,
    'run',
    stand.name,
    '--',
    'sh',
    '-c',
    'echo begun; sleep 1000',
  ])
  await until('it has begun', () => result.stdout.includes('begun'))
  child.kill('SIGINT')
  expect((await ended).code).toBe(130)
  expect((await newest()).status).toBe('canceled')
})

test('input is passed on with -i, whole, and has an end; what it writes is told apart and kept nowhere', async () => {
  const input = 'line of input\n'.repeat(50_000)
  const passed = await run(['-i', stand.name, '--', 'sh', '-c', 'wc -c; echo wrong >&2; exit 4'], input)
  expect({ ...passed, stdout: passed.stdout.trim() }).toEqual({
    code: 4,
    stdout: '700000',
    stderr: 'wrong\n',
  })
  await untilNewest('failed')
  const { id } = await newest()
  expect(await getRun(stand.host.berth.platform, operator, id)).toMatchObject({
    ...{
      isAttached: true,
      reason: 'exited',
      exitCode: 4,
      command: ['sh', '-c', expect.any(String)],
      log: [],
    },
  })
})

test('in a terminal it is a shell with the variables of the app, in a container that ends with it', async () => {
  const { child, result, ended } = start([
    ...['script', '-qec', `stty rows 31 cols 97; exec ${program} run ${stand.name}`, '/dev/null'],
  ])
  await until('the prompt', () => result.stdout.includes('/ # '))
  const { id, number } = await newest()
  expect(containers()).toContain(runContainerId(id))
  // Its terminal is one, whoever else asks.
  await expect(
    openTerminal(stand.host.berth.platform, operator, stand.appId, { run: id }),
  ).rejects.toMatchObject({
    code: 'conflict',
  })
  child.stdin.write('stty size; echo $STAGE of $(hostname); exit 9\r')
  const { code, stdout } = await ended
  expect(code).toBe(9)
  expect(stdout).toContain('31 97')
  expect(stdout).toMatch(new RegExp(`test of .+-run-${number}\\b`))
  await untilGone()
  expect(await newest()).toMatchObject({ status: 'failed', exitCode: 9 })
  // Who typed it has seen it.
  const { data } = await listTimeline(stand.host.berth.platform, operator, stand.appId, { kind: 'run' })
  expect(data.flatMap(({ event }) => (event.kind === 'run.failed' ? [event.number] : []))).not.toContain(
    number,
  )
})

test('who hangs up leaves nothing behind', async () => {
  const { child, ended } = await begun('cat')
  child.kill('SIGKILL')
  await ended
  await untilNewest('canceled')
  await untilGone()
})

test('one whose terminal nobody opens gives its place back', async () => {
  const { platform } = stand.host.berth
  const run = await createRun(platform, operator, stand.appId, { command: ['sh'], isAttached: true })
  await untilNewest('canceled')
  expect(await getRun(platform, operator, run.id)).toMatchObject({
    message: 'Nobody opened its terminal within 30 s.',
  })
  await expect(openTerminal(platform, operator, stand.appId, { run: run.id })).rejects.toMatchObject({
    code: 'conflict',
  })
  await untilGone()
})

test('what can not be run is said, with an exit code of its own', async () => {
  for (const flags of [[], ['-i']])
    expect((await run([...flags, stand.name, '--', '/no/such'])).stderr).toMatch(/\/no\/such/)
  expect((await run(['-i', stand.name, '--', '/no/such'])).code).toBe(127)
  expect((await run([stand.name, '--', '/no/such'])).code).toBe(125)
  expect((await run([stand.name])).stderr).toContain('Standard input is no terminal')
  const { id } = await newest()
  await expect(
    openTerminal(stand.host.berth.platform, operator, stand.appId, { run: id }),
  ).rejects.toMatchObject({
    message: expect.stringContaining('does not wait for a terminal'),
  })
  await expect(
    openTerminal(stand.host.berth.platform, operator, stand.appId, { run: id, command: ['true'] }),
  ).rejects.toMatchObject({ code: 'invalid', fields: [{ path: 'run' }] })
})

test('one with a terminal ends with the worker that served it', async () => {
  const { ended } = await begun('sleep 1000')
  const { id } = await newest()
  await stand.host.stopWorker('SIGKILL')
  await stand.host.startWorker()
  await until('it is over', async () => !['queued', 'running'].includes((await newest()).status))
  expect(await getRun(stand.host.berth.platform, operator, id)).toMatchObject({
    status: expect.stringMatching(/^(failed|canceled)$/),
  })
  expect((await ended).code).not.toBe(0)
})
