import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { capabilityForImage } from '../../../engine/snapshots/capability.ts'
import { readChanges } from '../../../engine/snapshots/changes.ts'
import { idRange, outputOf, readLines, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let host: TestEngine

beforeAll(async () => {
  host = await startEngine()
})

afterAll(async () => {
  await host.close()
})

async function run(script: string, image?: string): Promise<{ id: string; lines: string[] }> {
  const spec = host.spec({ command: ['/bin/sh', '-c', script], ...(image ? { image } : {}) })
  const { id } = await host.engine.containers.create(spec)
  await host.engine.containers.start(id)
  return { id, lines: await outputOf(host.engine, id) }
}

const look = [
  'cd /; busybox find new bin/ls etc/group home tmp usr -xdev 2>/dev/null | busybox sort',
  'busybox stat -c "%n %A %u:%g %h %Y" new new/* home/app home/app/* tmp',
  'busybox readlink new/link; cat new/file new/hard etc/group; busybox wc -c new/*long',
].join('\n')

test('what a container changed becomes an image, and a container of it finds everything as it was', async () => {
  const long = 'l'.repeat(200)
  const change = [
    'rm /bin/ls',
    'rm -r /home/app; mkdir -p /home/app; echo mine > /home/app/mine; busybox chown -R app:app /home/app',
    'mkdir /new; echo text > /new/file; busybox ln /new/file /new/hard; busybox ln -s /etc/shadow /new/link',
    'busybox chmod 4755 /new/file; busybox mkfifo /new/fifo; busybox chmod 700 /new',
    `echo x > "/new/ nasty\n*name"; busybox dd if=/dev/zero of=/new/${long} bs=1000000 count=3 2>/dev/null`,
    'echo more >> /etc/group; mkdir -p /usr/a/b/c; busybox touch -d "2020-01-02 03:04:05" /new/file',
  ].join('\n')
  const { id, lines } = await run(`${change}\n${look}`)
  const image = await host.engine.containers.commit(id, {
    reference: 'changed:1',
    comment: 'changed',
    config: { labels: { by: 'test' } },
  })
  expect(lines).toContain('/etc/shadow')
  expect(image).toMatchObject({
    references: ['docker.io/library/changed:1'],
    config: { labels: { by: 'test' } },
  })
  expect(image.config.command.join(' ')).toContain('rm /bin/ls')
  const again = await run(look, image.digest)
  expect(again.lines).toEqual(lines)
  expect((await host.engine.images.history('changed:1'))[0]).toMatchObject({ comment: 'changed' })
  // One image on another: the second is made of the first and of what changed since.
  const next = await run('echo on > /new/file2; rm /new/hard', image.digest)
  const second = await host.engine.containers.commit(next.id)
  expect(second.layers).toHaveLength(image.layers.length + 1)
  const { lines: last } = await run('cat /new/file2; test -e /new/hard || echo gone', second.digest)
  expect(last).toEqual(['on', 'gone'])
})

test('a running container is held still for it and goes on; what cannot be committed says why', async () => {
  const { containers } = host.engine
  const { id } = await containers.create(
    host.spec({
      command: [
        '/bin/sh',
        '-c',
        'date > /now; echo ready; while true; do date > /a; busybox mv /a /now; done',
      ],
    }),
  )
  await containers.start(id)
  await until('it writes', async () => (await readLines(host.engine, id)).length > 0)
  const states: string[] = []
  const stop = new AbortController()
  const listening = (async () => {
    for await (const { type, container } of containers.events({ signal: stop.signal }))
      if (container.id === id) states.push(type)
  })()
  const image = await containers.commit(id)
  expect((await containers.inspect(id)).status).toBe('running')
  stop.abort()
  await listening.catch(() => {})
  expect(states).toEqual(['paused', 'resumed'])
  expect((await run('cat /now', image.digest)).lines).toHaveLength(1)
  await expect(containers.commit('nobody')).rejects.toMatchObject({ kind: 'not-found' })
  await expect(containers.commit(id, { reference: 'UPPER' })).rejects.toMatchObject({ kind: 'invalid' })
  expect((await containers.inspect(id)).status).toBe('running')
  await containers.remove(id, { force: true })
})

test('links that lead out of the writable layer are not followed, and GNU tar reads what is written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-upper-'))
  try {
    const root = join(folder, 'upper')
    mkdirSync(join(root, 'd'), { recursive: true })
    execFileSync('ln', ['-s', '/etc', join(root, 'etc')])
    execFileSync('mknod', [join(root, 'gone'), 'c', '0', '0'])
    execFileSync('mknod', [join(root, 'null'), 'c', '1', '3'])
    writeFileSync(join(root, 'd', 'x'.repeat(150)), 'content')
    execFileSync('chown', ['-R', '-h', '1000007:1000000', root])
    const tar = await buffer(readChanges(root, idRange))
    const listed = execFileSync('tar', ['--numeric-owner', '-tvf', '-'], { input: tar })
      .toString()
      .trim()
      .split('\n')
    const short = listed.map((line) => line.replace(/\s+/g, ' ').split(' '))
    expect(short.map(([mode, owner, , , , ...name]) => [mode?.[0], owner, name.join(' ')])).toEqual([
      ['d', '7/0', 'd/'],
      ['-', '7/0', `d/${'x'.repeat(150)}`],
      ['l', '7/0', 'etc -> /etc'],
      ['-', '7/0', '.wh.gone'],
    ])
    await expect(buffer(readChanges(join(folder, 'nowhere'), idRange))).rejects.toThrow('cannot be read')
    await expect(buffer(readChanges(root, idRange, AbortSignal.abort(new Error('enough'))))).rejects.toThrow()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('capabilities that a container gave to a file lose its namespace, and those of another are left out', () => {
  const inside = Buffer.alloc(24)
  inside.writeUInt32LE(0x03000001, 0)
  inside.writeUInt32LE(0x400, 4)
  inside.writeUInt32LE(1_000_000, 20)
  const plain = Buffer.alloc(20)
  plain.writeUInt32LE(0x02000001, 0)
  plain.writeUInt32LE(0x400, 4)
  expect(capabilityForImage(inside, 1_000_000)).toEqual(plain)
  expect(capabilityForImage(inside, 2_000_000)).toBe(null)
  expect(capabilityForImage(plain, 1_000_000)).toEqual(plain)
  expect(capabilityForImage(Buffer.alloc(3), 1_000_000)).toBe(null)
})

test('a container whose disk is limited is committed, running or not, and its disk is let go of', async () => {
  const { containers } = host.engine
  const limits = { ...host.spec().limits, diskBytes: 32 * 2 ** 20 }
  const command = ['/bin/sh', '-c', 'echo limited > /new; echo ready; sleep 1000']
  const { id } = await containers.create(host.spec({ command, limits }))
  await containers.start(id)
  await until('it has written', async () => (await readLines(host.engine, id)).length > 0)
  const running = await containers.commit(id)
  await containers.stop(id, { graceMs: 0 })
  const ended = await containers.commit(id)
  expect(ended.layers).toEqual(running.layers)
  expect((await run('cat /new', ended.digest)).lines).toEqual(['limited'])
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(`snapshots/${id}/disk`)
})
