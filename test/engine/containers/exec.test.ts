import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ExecSpec, isEngineError } from '../../../engine/index.ts'
import { startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
let id: string
beforeAll(async () => {
  host = await startEngine()
  const image = await host.pull('exec:1', {
    user: 'app',
    command: ['/bin/sleep', '1000'],
    env: ['PATH=/bin', 'A=1'],
  })
  const spec = host.spec({ image, environment: { B: '2' } })
  id = spec.id
  await host.engine.containers.create(spec)
  await host.engine.containers.start(id)
})
afterAll(() => host.close())

const sh = (script: string) => ['/bin/sh', '-c', script]

async function exec(spec: ExecSpec, signal?: AbortSignal) {
  const run = await host.engine.containers.exec(id, spec, { signal })
  const [output, errors, exitCode] = await Promise.all([
    text(run.output),
    run.errors ? text(run.errors) : '',
    run.exited,
  ])
  return { output, errors, exitCode }
}

const commands = async () => (await host.engine.containers.top(id)).map(({ command }) => command.join(' '))

describe('without a terminal', () => {
  test('output, errors and exit code come back apart, and standard input has ended', async () => {
    const ran = await exec({ command: sh('cat; echo out; echo err >&2; exit 3') })
    expect(ran).toEqual({ output: 'out\n', errors: 'err\n', exitCode: 3 })
    expect((await exec({ command: sh('kill -9 $$') })).exitCode).toBe(137)
  })

  test('user, folder and environment are the container’s, or those that were said', async () => {
    const say = sh('id -u; id -g; busybox pwd; echo $HOME $A $B $C')
    expect((await exec({ command: say })).output).toBe('1000\n1000\n/\n/home/app 1 2\n')
    const said = { user: 'root', workingDir: '/tmp', environment: { A: 'x', C: '3' } }
    expect((await exec({ command: say, ...said })).output).toBe('0\n0\n/tmp\n/root x 2 3\n')
    expect((await exec({ command: say, user: '7:8' })).output).toMatch(/^7\n8\n/)
  })

  test('it has no more rights than the container, and counts among its processes', async () => {
    const { output } = await exec({
      command: sh('cat /proc/self/status; unshare -U true || echo refused; cat /proc/self/cgroup'),
      user: 'root',
    })
    const own = readFileSync(`/proc/${(await host.engine.containers.inspect(id)).pid}/status`, 'utf8')
    const rights = (status: string) => /^(CapBnd|NoNewPrivs|Seccomp):.*$/gm[Symbol.match](status)
    expect(rights(output)).toEqual(rights(own))
    expect(output).toContain('refused')
    expect(output).not.toMatch(/berth-[0-9a-f]{6}-monitors/)
  })

  test('what is written to its input arrives whole, until its end', async () => {
    const run = await host.engine.containers.exec(id, { command: sh('cat; echo end'), input: true })
    const all = text(run.output)
    const sent = Array.from({ length: 200_000 }, (_, index) => `${index}\n`).join('')
    run.input?.end(sent)
    expect((await all) === `${sent}end\n`).toBe(true)
    expect(await run.exited).toBe(0)
  })

  test('a program that is not there, an unknown user and a bad folder are invalid', async () => {
    const all: ExecSpec[] = [
      { command: ['/no/such'] },
      { command: [] },
      { command: ['id'], user: 'nobody-here' },
      { command: ['id'], user: '70000' },
      { command: ['id'], workingDir: '/proc/self/fd/7' },
      { command: ['id'], workingDir: '/tmp/../proc/1' },
      { command: ['id'], environment: { 'A=': 'x' } },
    ]
    for (const spec of all)
      await expect(exec(spec), JSON.stringify(spec)).rejects.toMatchObject({ kind: 'invalid' })
    await expect(host.engine.containers.exec('nobody', { command: ['id'] })).rejects.toMatchObject({
      kind: 'not-found',
    })
    await host.engine.containers.pause(id)
    await expect(exec({ command: ['id'] })).rejects.toMatchObject({ kind: 'failed-precondition' })
    await host.engine.containers.resume(id)
  })

  test('cancelling ends exactly that process', async () => {
    const stop = new AbortController()
    const canceled = exec({ command: ['sleep', '701'] }, stop.signal)
    const other = await host.engine.containers.exec(id, { command: ['sleep', '702'] })
    await until('both run', async () => {
      const all = await commands()
      return all.includes('sleep 701') && all.includes('sleep 702')
    })
    stop.abort()
    expect((await canceled).exitCode).toBe(137)
    expect(await commands()).toEqual(['/bin/sleep 1000', 'sleep 702'])
    other.kill('SIGTERM')
    expect(await other.exited).toBe(143)
    await expect(exec({ command: ['id'] }, AbortSignal.abort())).rejects.toThrow()
  })
})

describe('with a terminal', () => {
  test('it has the size that was said, is told of a new one, and its input is typed', async () => {
    const run = await host.engine.containers.exec(id, {
      command: sh(
        'trap "busybox stty size" WINCH; busybox tty; busybox stty size; while read line; do echo "[$line]"; done',
      ),
      terminal: { rows: 33, columns: 111 },
    })
    let said = ''
    run.output.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await until('its size', () => said.includes('33 111'))
    expect(said).toMatch(/^\/dev\/pts\/\d/)
    run.input?.write('hello\n')
    await until('the echo and the answer', () => said.includes('hello\r\n[hello]\r\n'))
    // A shell that is about to read, and does not yet, hears of a signal only with the next line.
    await until('the new size', () => {
      run.resize({ rows: 44, columns: 55 })
      run.input?.write('\n')
      return said.includes('44 55')
    })
    run.input?.write(Buffer.from([4]))
    expect(await run.exited).toBe(0)
    await until('its output has ended', () => run.output.readableEnded || run.output.destroyed)
  })

  test('much output comes whole, and it can be cancelled', async () => {
    const run = await host.engine.containers.exec(id, {
      command: sh('seq 1 30000; exit 4'),
      terminal: { rows: 24, columns: 80 },
    })
    const lines = (await text(run.output)).split('\r\n')
    expect(lines).toHaveLength(30_001)
    expect(lines[29_999]).toBe('30000')
    expect(await run.exited).toBe(4)
    const stop = new AbortController()
    const endless = await host.engine.containers.exec(
      id,
      { command: ['sleep', '703'], terminal: { rows: 24, columns: 80 } },
      { signal: stop.signal },
    )
    stop.abort()
    expect(await endless.exited).toBe(137)
    await expect(
      host.engine.containers.exec(id, { command: ['/no/such'], terminal: { rows: 1, columns: 1 } }),
    ).rejects.toMatchObject({ kind: 'invalid' })
  })
})

test('the end of the engine ends what it ran in containers, and they run on', async () => {
  const run = await host.engine.containers.exec(id, { command: ['sleep', '704'] })
  await until('it runs', async () => (await commands()).includes('sleep 704'))
  await host.reopen()
  expect(await run.exited).toBe(137)
  expect(await commands()).toEqual(['/bin/sleep 1000'])
})

test('a container that ends under a command is what the command failed for', async () => {
  const image = await host.pull('short:1', { command: ['/bin/sleep', '1000'] })
  const wrongs: unknown[] = []
  for (let round = 0; round < 20; round++) {
    const short = host.spec({ image })
    await host.engine.containers.create(short)
    await host.engine.containers.start(short.id)
    const running = host.engine.containers
      .exec(short.id, { command: ['/bin/sleep', '1000'] })
      .then(({ exited }) => exited)
      .catch((error) => error)
    // Somewhere between before the command starts and after.
    await sleep(round * 5)
    await host.engine.containers.remove(short.id, { force: true })
    const end: unknown = await running
    if (end !== 137 && !isEngineError(end, 'failed-precondition')) wrongs.push(end)
  }
  expect(wrongs).toEqual([])
})
