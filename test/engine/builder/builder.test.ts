import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stalled, startBuilder, type TestBuilder, tarOf } from '../../support/builder.ts'
import { leftOnHost, outputOf, type TestEngine } from '../../support/engine.ts'
import type { TarEntry } from '../../support/images.ts'
import { until } from '../../support/until.ts'
import { conformsToBuilder } from './conformance.ts'

let builder: TestBuilder
let t: TestEngine
let from: string

beforeAll(async () => {
  builder = await startBuilder()
  t = builder.t
  from = await builder.base('own-base:1', { files: { 'etc/base': 'base' } })
})

afterAll(async () => {
  await builder?.close()
})

conformsToBuilder(() => builder)

test('what was built runs in this engine', async () => {
  const files = { Dockerfile: `${from}COPY page.html /app/\n`, 'page.html': 'page' }
  const { digest, spec } = await builder.build(files)
  const image = await t.engine.images.pull(spec.push.reference)
  expect(image.digest).toBe(digest)
  const container = t.spec({ image: digest, command: ['/bin/ls', '-A', '/app'] })
  await t.engine.containers.create(container)
  await t.engine.containers.start(container.id)
  expect(await outputOf(t.engine, container.id)).toEqual(['page.html'])
})

test('a build is nobody on this host, has few rights, and reaches neither the host nor other networks', async () => {
  const service = createServer((socket) => socket.end('secret of the host\n')).listen(0)
  await once(service, 'listening')
  const { port } = service.address() as AddressInfo
  const other = t.spec({
    command: ['/bin/sh', '-c', 'echo secret of others >/tmp/x; httpd -f -p 8080 -h /tmp'],
  })
  await t.engine.containers.create(other)
  const { address } = await t.engine.containers.start(other.id)
  const tries = [
    `gateway=$(grep nameserver /etc/resolv.conf | head -n 1); gateway=\${gateway#nameserver }; echo via $gateway; nc -w 2 $gateway ${port} </dev/null`,
    `wget -T 2 -q -O - http://${address}:8080/x`,
    'wget -T 2 -q -O - http://169.254.169.254/',
    'wget -T 2 -q -O - http://127.0.0.1:22/',
    'cat /proc/self/uid_map /proc/self/status',
    'ls /proc',
    'mount -t tmpfs none /tmp && echo mounted',
    'unshare -m true && echo unshared',
  ]
  const run = tries.map((command) => `RUN (${command}) 2>&1 || true\n`).join('')
  const { lines } = await builder.build({ Dockerfile: from + run })
  service.close()
  const text = lines.filter((line) => !line.startsWith('STEP')).join('\n')
  expect(text).toMatch(/via 10\.90\./)
  expect(text).not.toMatch(/secret of/)
  expect(text).toMatch(/0 1500000000 +65536/)
  expect(text).toMatch(/NoNewPrivs:\s+1/)
  // CAP_SYS_ADMIN is bit 21.
  const [, bounding = ''] = /CapBnd:\s+([0-9a-f]+)/.exec(text) ?? []
  expect(BigInt(`0x${bounding}`) & (1n << 21n)).toBe(0n)
  expect(text).not.toMatch(/^(mounted|unshared)$/m)
  // Processes of the host would be many.
  expect(lines.filter((line) => /^\d+$/.test(line)).length).toBeLessThan(15)
})

test('an archive and a Dockerfile that mean to leave their folder get nothing of the host', async () => {
  const links: TarEntry[] = [
    { name: 'out', type: 'symlink', linkname: '/etc' },
    { name: 'out/evil', content: 'x' },
    { name: '../../../../../tmp/berth-evil', content: 'x' },
    { name: 'passwd', type: 'symlink', linkname: '../../../../../../etc/passwd' },
  ]
  const source = await tarOf({ Dockerfile: `${from}COPY passwd* /got\nRUN cat /got || true\n` }, links)
  const lines: string[] = []
  await t.engine.builder
    .build(builder.specOf(source), { onLine: ({ text }) => lines.push(text) })
    .catch((error) => lines.push(String(error)))
  expect(existsSync('/tmp/berth-evil')).toBe(false)
  expect(existsSync('/etc/evil')).toBe(false)
  expect(lines.join('\n')).not.toContain('daemon:')
})

test('what has answered is removed behind that, also where the engine closes at once', async () => {
  const { spec } = await builder.build({ Dockerfile: `${from}RUN true\n` }, { cache: 'closing' })
  await t.engine.close()
  expect(leftOnHost(t.stateDir).filter((what) => what.includes(`build-${spec.id}`))).toEqual([])
  await t.reopen()
  const again = await builder.build({ Dockerfile: `${from}RUN true\n` }, { cache: 'closing' })
  expect(again.hadCache).toBe(true)
  await builder.nothingIsLeft()
})

test('neither the next build nor the engine’s end waits for what is left for other hosts', async () => {
  const files = { Dockerfile: `${from}RUN true\n` }
  const cache = 'hurry'
  await builder.build(files, { cache })
  const sharedCache = { repository: `${builder.host}/${stalled}` }
  for (let turn = 0; turn < 2; turn++) {
    const before = builder.held()
    await builder.build(files, { cache, sharedCache })
    await until('it is at it', () => builder.held() > before)
  }
  await t.reopen()
  await builder.nothingIsLeft()
})

test('no step waits for the disk, and so a cache of another boot is not trusted', async () => {
  const sync = 'busybox dd if=/dev/zero of=/dev/null count=1 conv=fsync'
  const files = { Dockerfile: `${from}RUN ${sync} && echo ignored\n` }
  expect((await builder.build(files, { cache: 'boots' })).lines).toContain('ignored')
  await t.reopen()
  expect(await builder.build(files, { cache: 'boots' })).toMatchObject({ hadCache: true })
  await t.engine.close()
  const db = new DatabaseSync(join(t.stateDir, 'engine.db'))
  // As it is after a start of the host.
  const { changes } = db
    .prepare('UPDATE volumes SET labels = \'{"builder.boot":"another"}\' WHERE name = \'build-boots\'')
    .run()
  expect(changes).toBe(1)
  db.close()
  await t.reopen()
  expect(await builder.build(files, { cache: 'boots' })).toMatchObject({ hadCache: false })
})
