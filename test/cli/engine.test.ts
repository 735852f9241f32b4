/** `berth engine …` as an operator types it, against a real worker and its engine. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { writeSettings } from '../../cli/settings.ts'
import { makeTar } from '../support/images.ts'
import { freePort } from '../support/registry.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let home: string
let image: string

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const { port, domain, hostId, webPort, registryPort } = host.berth.config
  home = host.berth.config.home
  writeSettings(home, {
    ...{ port, domain, hostId, webPort, registryPort },
    createdAt: new Date().toISOString(),
    welcomed: true,
  })
  await host.startWorker()
  image = await host.push('tool', { entrypoint: [], command: ['/bin/sh', '-c', 'echo hello'] })
})
afterAll(() => host?.close())

interface Said {
  code: number | null
  out: string
  err: string
}

function start(...args: string[]) {
  const child = spawn(process.execPath, ['cli/main.ts', 'engine', ...args], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: [args.includes('-i') || args.includes('-') ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, BERTH_HOME: home, NO_COLOR: '1' },
  })
  const said: Said = { code: null, out: '', err: '' }
  child.stdout?.on('data', (chunk) => {
    said.out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    said.err += chunk
  })
  const ended = once(child, 'close').then(([code]) => Object.assign(said, { code }))
  return { child, said, ended }
}

const engine = (...args: string[]): Promise<Said> => start(...args).ended

test('the socket is for root alone, and goes with the worker', async () => {
  const socket = join(home, 'run/engine.sock')
  expect(statSync(socket).mode & 0o777).toBe(0o600)
  await host.stopWorker('SIGTERM')
  expect(existsSync(socket)).toBe(false)
  const away = await engine('ps')
  expect(away).toMatchObject({ code: 1, out: '' })
  expect(away.err).toMatch(/its worker does not run.*berth up/)
  await host.startWorker()
  expect(await engine('ps', '-q')).toEqual({ code: 0, out: '', err: '' })
})

test('an image is pulled with its layers shown, listed, inspected and removed', async () => {
  const pulled = await engine('pull', image)
  expect(pulled).toMatchObject({ code: 0, out: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) })
  expect(pulled.err).toMatch(/^[0-9a-f]{12}: Done$/m)
  const digest = pulled.out.trim()
  const [row] = JSON.parse((await engine('images', '--json')).out)
  expect(row).toMatchObject({ digest, references: [image] })
  const listed = (await engine('images')).out
  expect(listed).toMatch(/^REPOSITORY +TAG +DIGEST +CREATED +SIZE\n/)
  expect(listed).toMatch(new RegExp(`^localhost:\\d+/acme/tool +latest +${digest.slice(7, 19)} `, 'm'))
  const [, repository] = /^(.*):latest$/.exec(image) ?? []
  expect((await engine('images', '--digests', '-a', String(repository))).out).toContain(` ${digest} `)
  expect((await engine('images', '-q', '--no-trunc', '-f', 'reference=*/acme/t*')).out).toBe(`${digest}\n`)
  expect((await engine('images', '-q', '--filter', 'dangling=true')).out).toBe('')
  expect((await engine('images', '-q', 'nginx')).out).toBe('')
  expect(JSON.parse((await engine('images', '--format', 'json')).out)).toMatchObject({ digest })
  expect(await engine('images', '-f', 'size=1')).toMatchObject({
    code: 1,
    err: expect.stringContaining('dangling=true'),
  })
  expect(await engine('pull', '--platform', 'linux/s390x', image)).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/has no image for linux\/s390x, only for linux\//),
  })
  const [inspected] = JSON.parse((await engine('inspect', image)).out)
  expect(inspected).toMatchObject({ digest, config: { command: ['/bin/sh', '-c', 'echo hello'] } })
  expect((await engine('history', image)).out).toMatch(
    new RegExp(`^LAYER .*\n${inspected.layers.at(-1).slice(7, 19)} `),
  )
  expect((await engine('history', '-q', '--no-trunc', image)).out).toContain(inspected.layers.at(-1))
  expect(await engine('tag', image, 'tool:mine')).toEqual({ code: 0, out: '', err: '' })
  const short = digest.slice(7, 15)
  expect(await engine('rmi', short)).toMatchObject({ code: 1, err: expect.stringMatching(/names|force/) })
  expect(await engine('rmi', image, 'nothing')).toEqual({
    code: 1,
    out: `Untagged: ${image}\n`,
    err: expect.stringMatching(/nothing/),
  })
  expect(await engine('rmi', '-f', short)).toEqual({
    code: 0,
    out: `Untagged: docker.io/library/tool:mine\nDeleted: ${digest}\n`,
    err: '',
  })
  expect((await engine('images', '-q')).out).toBe('')
})

test('run pulls what is missing, shows both streams, and ends with the exit code of the container', async () => {
  const script = 'echo out; echo "$COLOUR $(hostname)" >&2; exit 7'
  const ran = await engine('run', '--rm', '-e', 'COLOUR=red', '-h', 'boat', image, 'sh', '-c', script)
  expect(ran).toMatchObject({ code: 7, out: 'out\n' })
  expect(ran.err).toMatch(/is not here: pulling it\n[\s\S]*red boat\n$/)
  expect((await engine('ps', '-a', '-q')).out).toBe('')
  expect(await engine('run', '--name', 'Not Good', image)).toMatchObject({ code: 125, out: '' })
  const missing = await engine('run', `${image}-missing`)
  expect(missing).toMatchObject({ code: 125, out: '' })
  expect(missing.err).toMatch(/has no image/)
})

test('a container that was started in the background is listed, read, waited for and removed by name', async () => {
  const script = 'echo one; echo two; trap "exit 3" TERM; while :; do sleep 0.05; done'
  expect(await engine('run', '-d', '--name', 'back', '-l', 'a=b', image, 'sh', '-c', script)).toMatchObject({
    code: 0,
    out: 'back\n',
  })
  expect((await engine('ps')).out).toMatch(
    /^back +[0-9a-f]{12} +\d+ seconds? ago +Up \d+ seconds? +operator +10\./m,
  )
  await until('both lines are there', async () => (await engine('logs', 'back')).out === 'one\ntwo\n')
  expect((await engine('logs', '--tail', '1', '-t', 'back')).out).toMatch(/^\d{4}-\S+Z two\n$/)
  expect((await engine('logs', '--since', '1h', 'back')).out).toBe('one\ntwo\n')
  expect((await engine('logs', '--until', '2020-01-01T00:00:00Z', 'back')).out).toBe('')
  const waiting = start('wait', 'back')
  const following = start('logs', '-f', 'back')
  await until('the log is followed', () => following.said.out === 'one\ntwo\n')
  expect(await engine('rm', 'back')).toMatchObject({ code: 1, err: expect.stringMatching(/running|stop/) })
  expect(await engine('stop', '-t', '5', 'back')).toEqual({ code: 0, out: 'back\n', err: '' })
  expect(await waiting.ended).toMatchObject({ code: 0, out: '3\n' })
  following.child.kill('SIGINT')
  expect(await following.ended).toMatchObject({ code: 0 })
  expect((await engine('ps', '-a')).out).toMatch(/^back .* Exited \(3\) \d+ seconds? ago/m)
  expect((await engine('ps', '-q')).out).toBe('')
  expect(await engine('rm', 'back')).toEqual({ code: 0, out: 'back\n', err: '' })
})

test('the worker does not take an operator’s container for one that nobody wants', async () => {
  await engine('run', '-d', '--name', 'keep', image, 'sleep', '1000')
  await host.stopWorker('SIGKILL')
  await host.startWorker()
  expect((await engine('ps', '-q')).out).toBe('keep\n')
  expect(await engine('rm', '-f', 'keep')).toMatchObject({ code: 0 })
})

test('Ctrl-C in run stops the container with its grace', async () => {
  const script = 'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.05; done'
  const running = start('run', '--rm', '--name', 'front', image, 'sh', '-c', script)
  await until('it runs', () => running.said.out === 'ready\n')
  running.child.kill('SIGINT')
  expect(await running.ended).toMatchObject({ code: 0, out: 'ready\nbye\n' })
  expect((await engine('ps', '-a', '-q')).out).toBe('')
})

test('what runs is measured, held still, limited, renamed, restarted and killed', async () => {
  const script = 'trap "echo hup" HUP; echo up; while :; do sleep 0.05; done'
  await engine('run', '-d', '--name', 'busy', '-m', '64m', image, 'sh', '-c', script)
  const [stats] = JSON.parse((await engine('stats', '--no-stream', '--json', 'busy')).out)
  expect(stats).toMatchObject({ id: 'busy', limits: { memoryBytes: 64 * 2 ** 20 } })
  expect(stats.cpuPercent).toBeGreaterThan(0)
  expect((await engine('stats', '--no-stream')).out).toMatch(/^busy +[\d.]+% +[\d.]+ [kM]B \/ 67.1 MB /m)
  expect((await engine('stats', '--no-stream', 'nobody')).code).toBe(1)
  expect((await engine('top', 'busy')).out).toMatch(/^UID .*\n0 +1 +\d+ .* sh -c trap/)
  expect((await engine('pause', 'busy')).out).toBe('busy\n')
  expect((await engine('ps')).out).toMatch(/^busy .* Paused /m)
  expect((await engine('unpause', 'busy')).out).toBe('busy\n')
  expect(await engine('update', '-m', '96m', '--pids-limit', '20', 'busy')).toMatchObject({ code: 0 })
  const [inspected] = JSON.parse((await engine('inspect', 'busy')).out)
  expect(inspected.spec.limits).toMatchObject({ memoryBytes: 96 * 2 ** 20, pids: 20 })
  expect(await engine('rename', 'busy', 'idle')).toMatchObject({ code: 0, out: '' })
  expect(await engine('kill', '-s', 'HUP', 'idle')).toMatchObject({ code: 0, out: 'idle\n' })
  await until('it had the signal', async () => (await engine('logs', 'idle')).out.includes('hup'))
  expect(await engine('restart', '-t', '0', 'idle')).toMatchObject({ code: 0 })
  await until('it runs anew', async () => (await engine('logs', 'idle')).out.match(/up\n/g)?.length === 3)
  expect(await engine('kill', 'idle')).toMatchObject({ code: 0 })
  expect((await engine('ps', '-a')).out).toMatch(/^idle .* Exited \(137\)/m)
  await engine('rm', 'idle')
})

test('one more process: its streams, its exit code, its user, and a terminal', async () => {
  await engine('run', '-d', '--name', 'shell', image, 'sleep', '1000')
  expect(await engine('exec', 'shell', 'sh', '-c', 'echo out; echo err >&2; exit 9')).toEqual({
    code: 9,
    out: 'out\n',
    err: 'err\n',
  })
  const args = [
    '-u',
    'app',
    '-w',
    '/tmp',
    '-e',
    'COLOUR=red',
    'shell',
    'sh',
    '-c',
    'id -u; echo $PWD $COLOUR',
  ]
  expect(await engine('exec', ...args)).toMatchObject({ code: 0, out: '1000\n/tmp red\n' })
  const reading = start('exec', '-i', 'shell', 'cat')
  reading.child.stdin?.end('x'.repeat(300_000))
  const read = await reading.ended
  expect([read.code, read.out.length]).toEqual([0, 300_000])
  expect(await engine('exec', 'shell', '/no/such')).toMatchObject({ code: 125, out: '' })
  expect(await engine('exec', 'nobody', 'true')).toMatchObject({
    code: 125,
    err: expect.stringMatching(/nobody/),
  })
  const command = `${process.execPath} cli/main.ts engine exec -it shell sh -c 'test -t 0 && echo is a terminal; read x; echo got $x'`
  const terminal = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, BERTH_HOME: home },
  })
  let shown = ''
  terminal.stdout.on('data', (chunk) => {
    shown += chunk
  })
  await until('the terminal is there', () => shown.includes('is a terminal'))
  terminal.stdin.write('hello\r')
  const [code] = await once(terminal, 'close')
  expect([code, shown]).toEqual([0, expect.stringContaining('got hello')])
  const hanging = start('exec', 'shell', 'sleep', '777')
  const runs777 = async () => (await engine('top', 'shell')).out.includes('sleep 777')
  await until('it runs', runs777)
  hanging.child.kill('SIGKILL')
  await until('it ends with whoever started it', async () => !(await runs777()))
  await engine('rm', '-f', 'shell')
})

test('an image goes out as an archive and comes back the same', async () => {
  const { out } = await engine('pull', '-q', image)
  const folder = mkdtempSync(join(tmpdir(), 'berth-archive-'))
  const archive = join(folder, 'tool.tar')
  try {
    expect(await engine('save', '-o', archive, image)).toEqual({ code: 0, out: '', err: '' })
    expect(await engine('save', '-o', join(folder, 'no.tar'), 'nothing')).toMatchObject({ code: 1 })
    expect(existsSync(join(folder, 'no.tar'))).toBe(false)
    const asked = await engine('save', '-o', archive, '-u', 'me', '--password-stdin', out.trim(), 'bare')
    expect(asked).toMatchObject({ code: 1, err: expect.stringContaining('bare') })
    await engine('rmi', image)
    const loaded = await engine('load', '-i', archive)
    expect(loaded).toMatchObject({ code: 0, out: `Loaded image: ${image}\n` })
    expect(JSON.parse((await engine('inspect', image)).out)[0].digest).toBe(out.trim())
    writeFileSync(archive, 'no archive at all')
    expect(await engine('load', '-i', archive)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/archive/),
    })
    const root = join(folder, 'root.tar')
    writeFileSync(root, await makeTar([{ name: 'hello', content: 'there' }]))
    const imported = await engine('import', root, 'bare:1')
    expect(imported).toMatchObject({ code: 0, out: expect.stringMatching(/^sha256:/) })
    expect((await engine('images')).out).toMatch(/^docker.io\/library\/bare +1 /m)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('an image is pushed under another name, and what nothing needs is shown and pruned', async () => {
  const { out } = await engine('pull', '-q', image)
  const digest = out.trim()
  const copy = image.replace('/tool:', '/copy:')
  const pushed = await engine('push', image, copy)
  expect(pushed).toMatchObject({ code: 0, out: `${copy}: ${digest}\n` })
  expect(pushed.err).toMatch(/^[0-9a-f]{12}: (Done|Already here|Mounted)$/m)
  expect((await engine('push', 'nothing')).code).toBe(1)
  await engine('run', '-d', '--name', 'user', image, 'sleep', '1000')
  expect((await engine('df', '-v')).out).toMatch(
    /^Images +\d+ +1 [\s\S]*^localhost:\d+\/acme\/tool:latest [\s\S]*^user /m,
  )
  const kept = await engine('prune', '-a', '--dry-run')
  expect(kept.out).not.toContain(digest)
  await engine('rm', '-f', 'user')
  const dry = await engine('prune', '-a', '--dry-run')
  expect(dry.out).toContain(`Would delete: ${digest} (${image})`)
  expect((await engine('prune')).out).not.toContain(digest)
  expect((await engine('prune', '-a', '-f', '--filter', 'until=1h')).out).not.toContain(digest)
  expect((await engine('prune', '-a', '-f', '--filter', 'label=no=such')).out).not.toContain(digest)
  expect((await engine('prune', '-af')).out).toMatch(
    new RegExp(`^Deleted: ${digest} [\\s\\S]*^Freed [1-9]`, 'm'),
  )
  expect((await engine('images', '-q')).out).toBe('')
})

test('a container has its volume, its folder in memory, its port and its user, and becomes an image', async () => {
  const hostPort = await freePort()
  const script =
    'id -u; touch /no 2>/dev/null || echo read-only; echo kept >> /data/file; echo x > /fast/file; pwd'
  const flags = [
    '-u',
    'app',
    '-w',
    '/tmp',
    '--read-only',
    '--init',
    '--tmpfs',
    '/fast:size=1m',
    '--cap-drop',
    'all',
  ]
  expect(await engine('volume', 'create', '--size', '32m', 'store')).toMatchObject({
    code: 0,
    out: 'store\n',
  })
  const open = ['busybox', 'chmod', '777', '/data']
  expect(await engine('run', '--rm', '-v', 'store:/data', image, ...open)).toMatchObject({ code: 0 })
  const ran = await engine(
    'run',
    '--rm',
    ...flags,
    '-v',
    'store:/data',
    '--entrypoint',
    'sh',
    image,
    '-c',
    script,
  )
  expect(ran).toMatchObject({ code: 0, out: '1000\nread-only\n/tmp\n' })
  const serve = 'mkdir /www; cat /data/file > /www/index.html; httpd -f -p 80 -h /www'
  const publish = `127.0.0.1:${hostPort}:80`
  await engine('run', '-d', '--name', 'web', '-p', publish, '-v', 'store:/data:ro', image, 'sh', '-c', serve)
  await until('it answers', async () => (await fetch(`http://127.0.0.1:${hostPort}`)).ok)
  expect(await (await fetch(`http://127.0.0.1:${hostPort}`)).text()).toBe('kept\n')
  expect((await engine('volume', 'ls')).out).toMatch(/^store +33.6 MB .* web$/m)
  expect(await engine('volume', 'rm', 'store')).toMatchObject({ code: 1, err: expect.stringMatching(/web/) })
  expect(await engine('run', '-v', '/etc:/etc', image)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/volume/),
  })
  const committed = await engine('commit', '-m', 'with a page', 'web', 'paged:1')
  expect(committed).toMatchObject({ code: 0, out: expect.stringMatching(/^sha256:/) })
  expect((await engine('run', '--rm', 'paged:1', 'cat', '/www/index.html')).out).toBe('kept\n')
  await engine('rm', '-f', 'web')
  expect(await engine('volume', 'rm', 'store')).toMatchObject({ code: 0, out: 'store\n' })
  await engine('rmi', 'paged:1')
})

test('files go into a container and out of it, and what changed is listed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-copy-'))
  try {
    await engine('run', '-d', '--name', 'files', image, 'sleep', '1000')
    mkdirSync(join(folder, 'in/deep'), { recursive: true })
    writeFileSync(join(folder, 'in/deep/file'), 'x'.repeat(200_000))
    symlinkSync('deep/file', join(folder, 'in/link'))
    expect(await engine('cp', join(folder, 'in'), 'files:/tmp')).toEqual({ code: 0, out: '', err: '' })
    expect(await engine('cp', join(folder, 'in/link'), 'files:/tmp/other')).toMatchObject({ code: 0 })
    const look = 'cd /tmp; wc -c < in/link; busybox readlink other; stat -c %u in'
    expect((await engine('exec', 'files', 'sh', '-c', look.replace('wc', 'busybox wc'))).out).toBe(
      '200000\ndeep/file\n0\n',
    )
    expect(await engine('cp', 'files:/tmp/in', join(folder, 'out'))).toEqual({ code: 0, out: '', err: '' })
    expect(readFileSync(join(folder, 'out/link'), 'utf8')).toHaveLength(200_000)
    mkdirSync(join(folder, 'there'))
    expect(await engine('cp', 'files:/etc/hostname', join(folder, 'there'))).toMatchObject({ code: 0 })
    expect(readFileSync(join(folder, 'there/hostname'), 'utf8')).toBe('files\n')
    const tarred = await engine('cp', 'files:/etc/hostname', '-')
    expect(tarred).toMatchObject({ code: 0, out: expect.stringContaining('files\n') })
    const archive = await makeTar([{ name: 'piped', content: 'by a pipe' }])
    const piped = start('cp', '-', 'files:/tmp')
    piped.child.stdin?.end(archive)
    expect(await piped.ended).toMatchObject({ code: 0 })
    expect((await engine('exec', 'files', 'cat', '/tmp/piped')).out).toBe('by a pipe')
    expect((await engine('diff', 'files')).out).toMatch(/^C \/tmp\n[\s\S]*^A \/tmp\/in\/deep\/file$/m)
    for (const [from, to, said] of [
      ['files:/none', folder, /no \/none/],
      [join(folder, 'none'), 'files:/tmp', /no .*none/],
      [folder, folder, /CONTAINER:PATH/],
      ['nobody:/etc', folder, /no container nobody/],
      [join(folder, 'in'), 'nobody:/tmp', /no container nobody/],
      ['files:/proc/1/environ', folder, /kernel/],
    ] as const)
      expect(await engine('cp', from, to)).toMatchObject({ code: 1, err: expect.stringMatching(said) })
  } finally {
    rmSync(folder, { recursive: true })
    await engine('rm', '-f', 'files')
  }
})

test('run -it is a terminal, run -i reads what is piped in, and both end as their program does', async () => {
  const reading = start(
    'run',
    '--rm',
    '-i',
    '-e',
    'COLOUR=red',
    image,
    'sh',
    '-c',
    'read x; echo $x $COLOUR; exit 5',
  )
  reading.child.stdin?.end('piped\n')
  expect(await reading.ended).toMatchObject({ code: 5, out: 'piped red\n' })
  const args = `run --rm -it --name shell -u app -w /tmp ${image} sh`
  const shown = await typed(args, async (type, see) => {
    type('test -t 0 && echo "is a terminal $(id -u) $PWD"\r')
    await see('is a terminal 1000 /tmp')
    type('exit 7\r')
  })
  expect(shown.code).toBe(7)
  expect((await engine('ps', '-aq')).out).toBe('')
  expect(await engine('run', '-d', '-i', image, 'sh')).toMatchObject({
    code: 125,
    err: expect.stringMatching(/-d/),
  })
})

test('ps filters and formats, inspect shows one field, create starts nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-env-'))
  writeFileSync(join(folder, 'env'), '# a comment\nA=1\nB=2\n')
  const flags = [
    '--env-file',
    join(folder, 'env'),
    '-e',
    'B=3',
    '-l',
    'tier=web',
    '--restart',
    'on-failure:3',
  ]
  const more = ['--ulimit', 'nofile=99', '--memory-swap', '96m', '-m', '64m', '--cpu-shares', '512']
  const rest = ['--storage-opt', 'size=32m', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=3']
  const check = ['--health-cmd', 'true', '--health-interval', '50ms']
  const run = 'ulimit -n; echo $A $B; sleep 1000'
  expect(
    await engine('create', '--name', 'one', ...flags, ...more, ...rest, ...check, image, 'sh', '-c', run),
  ).toEqual({ code: 0, out: 'one\n', err: '' })
  expect((await engine('ps', '-q')).out).toBe('')
  const asked =
    '{{.status}} {{.spec.restart}} {{.spec.maxRestarts}} {{.spec.limits.swapBytes}} {{.spec.limits.cpuWeight}}'
  expect(
    (await engine('inspect', '-f', `${asked} {{.diskLimitedBy}} {{json .spec.log}}`, 'one')).out,
  ).toMatch(
    /^created on-failure 3 33554432 50 (own-file-system|project-quota) {"maxBytes":1048576,"files":3}\n$/,
  )
  expect(await engine('start', 'one')).toMatchObject({ code: 0, out: 'one\n' })
  await until('its lines', async () => (await engine('logs', 'one')).out === '99\n1 3\n')
  await until('healthy', async () => (await engine('ps')).out.includes('(healthy)'))
  await engine('run', '-d', '--name', 'two', '--no-healthcheck', image, 'sh', '-c', 'exit 4')
  await engine('wait', 'two')
  const names = async (...args: string[]) => (await engine('ps', '--format', '{{.Names}}', ...args)).out
  expect(await names()).toBe('one\n')
  expect(await names('-a')).toBe('one\ntwo\n')
  expect(await names('-f', 'exited=4')).toBe('two\n')
  expect(await names('-f', 'status=running', '-f', 'status=exited')).toBe('one\ntwo\n')
  expect(await names('-a', '-f', 'label=tier=web')).toBe('one\n')
  expect(await names('-a', '-f', 'name=tw', '-f', 'status=running')).toBe('')
  expect(await names('-n', '1')).toBe('two\n')
  expect((await engine('ps', '--format', 'table {{.Names}}\\t{{.State}}')).out).toBe('one\trunning\n')
  expect(await engine('ps', '-f', 'colour=red')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/KEY=VALUE/),
  })
  expect(await engine('ps', '--format', '{{.Nmaes}}')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/names/),
  })
  await engine('rm', '-f', 'one', 'two')
  rmSync(folder, { recursive: true })
})

test('events tell what was, from a time to a time, of whom one asks for', async () => {
  const since = new Date().toISOString()
  await engine('run', '--rm', '--name', 'eventful', image, 'true')
  await engine('run', '--rm', '--name', 'other', image, 'true')
  const until = new Date().toISOString()
  const { out } = await engine(
    'events',
    '--since',
    since,
    '--until',
    until,
    '-f',
    'container=eventful',
    '--json',
  )
  const rows = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(rows.map(({ type }) => type)).toEqual(['created', 'started', 'exited', 'removed'])
  expect(rows[0].at >= since && rows[3].at <= until).toBe(true)
  const starts = await engine('events', '--since', since, '--until', until, '-f', 'event=started')
  expect(starts.out).toMatch(/^\S+Z container started eventful .*\n\S+Z container started other .*\n$/)
})

test('volumes that nobody mounts are pruned, and only when that was meant', async () => {
  await engine('volume', 'create', 'lonely')
  await engine('run', '-d', '--name', 'user', '-v', 'used:/data', image, 'sleep', '1000')
  expect(await engine('volume', 'prune')).toMatchObject({ code: 1, err: expect.stringMatching(/-f/) })
  expect((await engine('volume', 'prune', '-f')).out).toMatch(/^Deleted: lonely\nFreed /)
  expect((await engine('volume', 'ls', '-q')).out).toBe('used\n')
  await engine('rm', '-f', 'user')
  expect(await engine('volume', 'rm', 'used')).toMatchObject({ code: 0 })
})

/** The command in a terminal, and somebody who types there. */
async function typed(
  args: string,
  work: (type: (text: string) => void, see: (text: string) => Promise<unknown>) => Promise<void>,
): Promise<{ code: number | null; shown: string }> {
  const terminal = spawn('script', ['-qec', `${process.execPath} cli/main.ts engine ${args}`, '/dev/null'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, BERTH_HOME: home },
  })
  let shown = ''
  terminal.stdout.on('data', (chunk) => {
    shown += chunk
  })
  const closed = once(terminal, 'close')
  await work(
    (text) => terminal.stdin.write(text),
    (text) => until(`it shows ${text}`, () => shown.includes(text)),
  )
  const [code] = await closed
  return { code, shown }
}

test('networks are made, listed and removed; one in use is not', async () => {
  expect(await engine('network', 'create', 'quay')).toMatchObject({ code: 0, out: 'quay\n' })
  await engine('run', '-d', '--name', 'moored', '--network', 'quay', image, 'sleep', '1000')
  expect((await engine('network', 'ls')).out).toMatch(/^quay +bth\S+ +10\.\S+\/24 .* all$/m)
  expect(await engine('network', 'create', '--internal', 'basin')).toMatchObject({ code: 0 })
  expect(await engine('network', 'connect', '--alias', 'ship', 'basin', 'moored')).toMatchObject({ code: 0 })
  const [basin] = JSON.parse((await engine('network', 'inspect', 'basin')).out)
  expect(basin).toMatchObject({ egress: 'none', attachments: [{ container: 'moored', connected: true }] })
  expect(await engine('network', 'disconnect', 'basin', 'moored')).toMatchObject({ code: 0 })
  expect(await engine('network', 'rm', 'basin')).toMatchObject({ code: 0 })
  expect(await engine('network', 'rm', 'quay')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/attached|use/),
  })
  await engine('rm', '-f', 'moored')
  expect(await engine('network', 'rm', 'quay')).toMatchObject({ code: 0, out: 'quay\n' })
  await engine('network', 'create', 'idle')
  expect((await engine('network', 'prune', '--dry-run')).out).toMatch(/^Would delete: idle$/m)
  expect((await engine('network', 'prune')).out).toMatch(/^Deleted: idle$/m)
  expect((await engine('network', 'ls')).out).not.toMatch(/^idle /m)
})
