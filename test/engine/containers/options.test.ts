import { existsSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outputOf, readLines, startEngine, type TestEngine } from '../../support/engine.ts'
import { makeTar } from '../../support/images.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
let asked: string
beforeAll(async () => {
  host = await startEngine()
  asked = await host.pull('asked:1', {
    entrypoint: ['/bin/echo', 'entry'],
    command: ['image'],
    user: 'app',
    workingDir: '/srv/app',
    files: { 'opt/file': 'x' },
  })
})
afterAll(() => host.close())

type Changes = Parameters<TestEngine['spec']>[0]
const sh = (script: string) => ['/bin/sh', '-c', script]
const containers = () => host.engine.containers

async function run(changes: Changes) {
  const spec = host.spec(changes)
  await containers().create(spec)
  return containers().start(spec.id)
}

/** What a script inside says, once it has ended. */
async function inside(script: string, changes: Changes = {}): Promise<string[]> {
  const { id } = await run({ ...changes, command: sh(script) })
  const lines = await outputOf(host.engine, id)
  await containers().remove(id)
  return lines
}

describe('what it runs', () => {
  test('command, entrypoint and arguments go together as Docker’s do', async () => {
    const said = async (changes: Changes) => {
      const { id } = await run({ image: asked, ...changes })
      return outputOf(host.engine, id)
    }
    expect(await said({})).toEqual(['entry image'])
    expect(await said({ arguments: ['mine'] })).toEqual(['entry mine'])
    expect(await said({ entrypoint: ['/bin/echo', 'other'] })).toEqual(['other'])
    expect(await said({ entrypoint: ['/bin/echo'], command: ['a', 'b'] })).toEqual(['a b'])
    expect(await said({ command: ['/bin/echo', 'only'] })).toEqual(['only'])
  })

  test('user, working folder, environment and host name are those that were said', async () => {
    const script = 'id -u; id -g; busybox pwd; stat -c %u .; hostname; echo $HOME $X'
    const changes = { image: asked, hostname: 'web', environment: { X: 'y z' } }
    expect(await inside(script, changes)).toEqual([
      '1000',
      '1000',
      '/srv/app',
      '1000',
      'web',
      '/home/app y z',
    ])
    const own = { ...changes, user: '7:8', workingDir: '/made/here' }
    expect(await inside(script, own)).toEqual(['7', '8', '/made/here', '7', 'web', '/ y z'])
    const spec = host.spec({ user: 'nobody-here' })
    await containers().create(spec)
    await expect(containers().start(spec.id)).rejects.toMatchObject({ kind: 'invalid' })
  })

  test('an init passes signals on and buries orphans', async () => {
    const { id } = await run({ init: true, command: sh('(sleep 0.1 &) ; exec sleep 1000') })
    await until('the orphan is gone', async () => {
      const all = await containers().top(id)
      return all.length === 2 && all[0]?.command[0] === '/dev/init' && all[1]?.command[0] === 'sleep'
    })
    // Without one, sleep as the first process would not even hear it.
    expect(await containers().stop(id, { graceMs: 60_000 })).toMatchObject({ exitCode: 143 })
  })

  test('its stop signal and grace are its own', async () => {
    const script = 'trap "echo usr1; exit 0" USR1; echo ready; while :; do sleep 0.05; done'
    const polite = await run({ stopSignal: 'SIGUSR1', stopGraceMs: 60_000, command: sh(script) })
    await until('ready', async () => (await readLines(host.engine, polite.id)).includes('ready'))
    expect(await containers().stop(polite.id)).toMatchObject({ exitCode: 0 })
    const deaf = await run({ stopGraceMs: 100, command: sh('trap "" TERM; while :; do sleep 0.05; done') })
    expect(await containers().stop(deaf.id)).toMatchObject({ exitCode: 137 })
  })

  test('on-failure gives up after so many failures in a row', async () => {
    const { id } = await run({ restart: 'on-failure', maxRestarts: 2, command: sh('echo up; exit 1') })
    await until('three runs', async () => (await readLines(host.engine, id)).length === 3)
    const ended = await until('the last end', async () => {
      const found = await containers().inspect(id)
      return found.status === 'exited' && found.restarts === 2 && found
    })
    expect(ended.exitCode).toBe(1)
    // It would have been there by now: the delay was 400 ms.
    const { finishedAt } = ended
    await until('a second later', () => Date.now() - Date.parse(finishedAt ?? '') > 1_000)
    expect(await containers().inspect(id)).toMatchObject({ status: 'exited', restarts: 2 })
  })
})

describe('what it may', () => {
  test('a read-only root can be read, and only what is mounted be written to', async () => {
    const script =
      'touch /tmp/x || echo no; touch /scratch/x && echo yes; touch /locked/x || echo no; cat /proc/mounts'
    const mib = 2 ** 20
    const lines = await inside(script, {
      readOnlyRoot: true,
      user: 'app',
      mounts: [
        { kind: 'tmpfs', target: '/scratch', sizeBytes: mib },
        { kind: 'tmpfs', target: '/locked', sizeBytes: mib, readOnly: true },
      ],
    })
    expect(lines.filter((line) => /^(yes|no)$/.test(line))).toEqual(['no', 'yes', 'no'])
    expect(lines.find((line) => line.includes(' /scratch '))).toMatch(/nosuid,nodev.*size=1024k/)
    const full = await inside(
      'dd if=/dev/zero of=/scratch/x bs=1M count=5 2>/dev/null; stat -c %s /scratch/x',
      {
        mounts: [{ kind: 'tmpfs', target: '/scratch', sizeBytes: mib }],
      },
    )
    expect(full).toEqual([String(mib)])
  })

  test('nothing is mounted over a link, a file, another mount or what is not for mounting', async () => {
    const image = await host.pull('links:1', {
      command: ['/bin/true'],
      layers: [await makeTar([{ name: 'lnk', type: 'symlink', linkname: '/etc' }])],
    })
    for (const target of ['/lnk', '/lnk/x', '/bin/busybox']) {
      const spec = host.spec({ image, mounts: [{ kind: 'tmpfs', target, sizeBytes: 4096 }] })
      await containers().create(spec)
      await expect(containers().start(spec.id), target).rejects.toMatchObject({ kind: 'invalid' })
    }
    const refused = ['/', '/proc/x', '/sys', '/dev/shm', '/etc/hosts', '/a/../proc', 'rel', '/a//b', '/a\0']
    for (const target of refused) {
      const mounts = [{ kind: 'tmpfs' as const, target, sizeBytes: 4096 }]
      await expect(containers().create(host.spec({ mounts })), target).rejects.toMatchObject({
        kind: 'invalid',
      })
    }
    const nested = ['/a', '/a/b'].map((target) => ({ kind: 'tmpfs' as const, target, sizeBytes: 4096 }))
    await expect(containers().create(host.spec({ mounts: nested }))).rejects.toMatchObject({
      kind: 'invalid',
    })
  })

  test('a given file is readable for the user alone, changed by nobody, and not shown', async () => {
    const read =
      'cat /run/secrets/key && echo && busybox stat -c "%u %a" /run/secrets/key; echo x > /run/secrets/key || echo ro'
    const files = [
      { target: '/run/secrets/key', content: 'correct horse' },
      { target: '/etc/app.conf', content: 'b' },
    ]
    const { id } = await run({ user: 'app', files, command: ['/bin/sleep', '1000'] })
    const exec = await containers().exec(id, { command: sh(read) })
    expect((await text(exec.output)).split('\n')).toEqual(['correct horse', '1000 400', 'ro', ''])
    const other = await containers().exec(id, { command: sh('cat /run/secrets/key || echo no'), user: '7:8' })
    expect(await text(other.output)).toBe('no\n')
    const shown = await containers().inspect(id)
    expect(shown.spec.fileTargets).toEqual(files.map(({ target }) => target))
    expect(JSON.stringify(shown)).not.toContain('horse')
    for (const target of ['/bin', '/proc/x', '/etc/hosts', '/run/../x']) {
      const spec = host.spec({ files: [{ target, content: 'x' }] })
      const tried = containers()
        .create(spec)
        .then(() => containers().start(spec.id))
      await expect(tried, target).rejects.toMatchObject({ kind: 'invalid' })
    }
  })

  test('capabilities can only be fewer', async () => {
    const status = async (capabilities?: string[]) => {
      const lines = await inside('cat /proc/self/status', capabilities ? { capabilities } : {})
      return lines.find((line) => line.startsWith('CapBnd'))?.split('\t')[1]
    }
    expect(await status([])).toBe('0000000000000000')
    expect(await status(['CAP_CHOWN'])).toBe('0000000000000001')
    const capabilities = ['CAP_SYS_ADMIN']
    await expect(containers().create(host.spec({ capabilities }))).rejects.toMatchObject({ kind: 'invalid' })
  })

  test('more system calls can be refused, also from what was compiled before', async () => {
    for (let round = 0; round < 2; round++)
      expect(
        await inside('mkdir /tmp/x 2>/dev/null || echo refused; echo here', {
          refusedSyscalls: ['mkdir', 'mkdirat'],
        }),
      ).toEqual(['refused', 'here'])
    expect(await inside('mkdir /tmp/x && echo made')).toEqual(['made'])
  })

  test('nothing waits for the disk where that is not wanted', async () => {
    // What can't be synced shows whether anything was: a device that takes all says so.
    const sync = 'dd if=/dev/zero of=/dev/null count=1 conv=fsync 2>/dev/null && echo ignored || echo heeded'
    expect(await inside(sync, { ignoresSync: true })).toEqual(['ignored'])
    expect(await inside(sync)).toEqual(['heeded'])
  })

  test('ulimits are what was said, up to the engine’s own', async () => {
    const lines = await inside('ulimit -n; ulimit -c; ulimit -s', {
      ulimits: { openFiles: 99, stackBytes: 2 ** 20, coreBytes: 512 },
    })
    expect(lines).toEqual(['99', '1', '1024'])
    const own = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    expect(await inside('ulimit -n', { ulimits: { openFiles: own + 1_000_000 } })).toEqual([String(own)])
  })

  test('swap and disk speed are limited in its control group', async () => {
    const limits = {
      memoryBytes: 32 * 2 ** 20,
      swapBytes: 8 * 2 ** 20,
      cpuMillis: 500,
      pids: 64,
      io: { readBytesPerSecond: 2 ** 20 },
    }
    const lines = await inside(
      'cd /sys/fs/cgroup; cat memory/memory.memsw.limit_in_bytes blkio/blkio.throttle.read_bps_device 2>/dev/null || cat memory.swap.max io.max',
      { limits },
    )
    const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
    expect(lines[0]).toBe(String(isV2 ? 8 * 2 ** 20 : 40 * 2 ** 20))
    expect(lines[1]).toMatch(isV2 ? /rbps=1048576/ : /^\d+:\d+ 1048576$/)
  })

  test('a runtime class other than the usual one runs it, or says what to install', async () => {
    if (existsSync('/usr/sbin/runc')) {
      const { id } = await run({ runtimeClass: 'runc', command: sh('echo by runc; exec sleep 1000') })
      await until('its line', async () => (await readLines(host.engine, id)).includes('by runc'))
      const ran = await containers().exec(id, { command: ['id', '-u'] })
      expect(await text(ran.output)).toBe('0\n')
      await host.reopen()
      expect(await containers().stop(id, { graceMs: 0 })).toMatchObject({ exitCode: 137 })
      await containers().remove(id)
    } else console.log('runc is not installed: its class is not tried')
    if (existsSync('/usr/bin/runsc')) return console.log('runsc is installed: its absence is not tried')
    const spec = host.spec({ runtimeClass: 'gvisor' })
    await containers().create(spec)
    await expect(containers().start(spec.id)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('apt-get install runsc'),
    })
  })
})

describe('health', () => {
  const quick = { intervalMs: 30, timeoutMs: 2_000, retries: 2 }
  const status = async (id: string) => (await containers().inspect(id)).health?.status

  test('http: healthy while it answers well, unhealthy after so many failures, and told as events', async () => {
    const { id } = await run({
      healthCheck: { test: { kind: 'http', port: 80, path: '/ok' }, ...quick },
      command: sh('mkdir /tmp/www; echo yes > /tmp/www/ok; exec httpd -f -p 80 -h /tmp/www'),
    })
    expect(await status(id)).toBe('starting')
    await until('healthy', async () => (await status(id)) === 'healthy')
    const stop = new AbortController()
    const told: string[] = []
    const listening = (async () => {
      for await (const { type, container } of containers().events({ signal: stop.signal }))
        if (type === 'health' && container.id === id)
          told.push(`${container.health?.status} ${container.health?.failures}`)
    })()
    const removed = await containers().exec(id, { command: ['rm', '/tmp/www/ok'] })
    await removed.exited
    await until('unhealthy', async () => (await status(id)) === 'unhealthy')
    const { health } = await containers().inspect(id)
    expect(health?.checks.at(-1)).toMatchObject({ isGood: false, output: 'the answer was 404' })
    expect(health?.checks.length).toBeLessThanOrEqual(5)
    // Another engine goes on from there.
    stop.abort()
    await listening
    expect(told).toEqual(['unhealthy 2'])
    await host.reopen()
    expect(await status(id)).toBe('unhealthy')
    await (await containers().exec(id, { command: ['touch', '/tmp/www/ok'] })).exited
    await until('healthy again', async () => (await status(id)) === 'healthy')
    expect(await containers().stop(id, { graceMs: 0 })).toMatchObject({ health: null })
  })

  test('tcp and command: their failures say why, and those of the start period don’t count', async () => {
    const tcp = await run({
      healthCheck: { test: { kind: 'tcp', port: 81 }, ...quick },
      command: ['/bin/sleep', '1000'],
    })
    await until('unhealthy', async () => (await status(tcp.id)) === 'unhealthy')
    expect((await containers().inspect(tcp.id)).health?.checks.at(-1)?.output).toContain('ECONNREFUSED')
    const command = sh('test -e /tmp/up || { echo not yet; exit 1; }')
    const slow = await run({
      healthCheck: { test: { kind: 'command', command }, ...quick, startPeriodMs: 600_000 },
      command: ['/bin/sleep', '1000'],
    })
    await until('some failures', async () => {
      const { health } = await containers().inspect(slow.id)
      return (health?.checks.length ?? 0) >= 3 && health?.checks[0]?.output === 'not yet\n'
    })
    expect((await containers().inspect(slow.id)).health).toMatchObject({ status: 'starting', failures: 0 })
    await (await containers().exec(slow.id, { command: ['touch', '/tmp/up'] })).exited
    await until('healthy', async () => (await status(slow.id)) === 'healthy')
  })

  test('the image’s own is used unless another or none was asked for', async () => {
    const second = 1e9
    const image = await host.pull('checked:1', {
      command: ['/bin/sleep', '1000'],
      healthCheck: {
        Test: ['CMD-SHELL', 'echo said by $0; exit 1'],
        Interval: 1,
        Timeout: 9 * second,
        Retries: 1,
      },
    })
    const { id } = await run({ image })
    expect((await containers().inspect(id)).spec.healthCheck).toEqual({
      test: { kind: 'command', command: ['/bin/sh', '-c', 'echo said by $0; exit 1'] },
      intervalMs: 1_000,
      timeoutMs: 9_000,
      retries: 1,
    })
    await until('unhealthy', async () => (await status(id)) === 'unhealthy')
    expect((await containers().inspect(id)).health?.checks[0]?.output).toBe('said by /bin/sh\n')
    const none = await run({ image, healthCheck: 'none' })
    expect(none.health).toBe(null)
    const own = { test: { kind: 'tcp' as const, port: 81 } }
    const other = await containers().create(host.spec({ image, healthCheck: own }))
    expect((await containers().inspect(other.id)).spec.healthCheck).toEqual(own)
  })

  test('one that is healthy is looked at as seldom as it says, and one that is held still not at all', async () => {
    const command = ['/bin/sleep', '1000']
    const by = (script: string) => ({ kind: 'command' as const, command: sh(script) })
    // The first time it is looked at soon all the same.
    const seldom = await run({ healthCheck: { test: by('true'), intervalMs: 3_600_000 }, command })
    const often = await run({ healthCheck: { test: by('yes | head -c 9000'), ...quick }, command })
    const held = await run({ healthCheck: { test: by('sleep 0.2'), ...quick, timeoutMs: 900 }, command })
    const healthOf = async (id: string) => (await containers().inspect(id)).health
    for (const { id } of [seldom, often, held])
      await until('healthy', async () => (await status(id)) === 'healthy')
    await containers().pause(held.id)
    const before = await Promise.all([seldom, held].map(({ id }) => healthOf(id)))
    expect(before[0]?.checks).toHaveLength(1)
    // Longer than those that start wait, and longer than the check may take that was under way.
    const sinceMs = Date.now()
    await until('another is looked at meanwhile', async () => {
      const last = (await healthOf(often.id))?.checks.at(-1)
      return Date.parse(last?.at ?? '') > sinceMs + 2_500 && last
    })
    expect(await Promise.all([seldom, held].map(({ id }) => healthOf(id)))).toEqual(before)
    expect((await healthOf(often.id))?.checks.at(-1)?.output).toHaveLength(4_096)
    await containers().resume(held.id)
    await until('it is looked at again', async () => {
      const now = await healthOf(held.id)
      return now?.status === 'healthy' && now.checks.at(-1)?.at !== before[1]?.checks.at(-1)?.at
    })
  })

  test('a check that hangs has failed, and its process is ended', async () => {
    const { id } = await run({
      healthCheck: { test: { kind: 'command', command: ['sleep', '777'] }, ...quick, timeoutMs: 200 },
      command: ['/bin/sleep', '1000'],
    })
    await until('unhealthy', async () => (await status(id)) === 'unhealthy')
    expect((await containers().inspect(id)).health?.checks.at(-1)?.output).toBe('no answer in 200 ms')
    await until('at most one runs', async () => (await containers().top(id)).length <= 2)
  })
})
